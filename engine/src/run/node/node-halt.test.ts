import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeState } from '../../observe/status.js'
import { NodeHalt, type HaltedNode } from './node-halt.js'

/** Closes when told to. */
class SlowNode implements HaltedNode {
  state: NodeState = 'ready'
  readonly calls: string[] = []
  closed = (): void => undefined

  close(why: string): Promise<void> {
    this.calls.push(`close: ${why}`)
    return new Promise((resolve) => {
      this.closed = () => {
        this.state = 'stopped'
        resolve()
      }
    })
  }

  async resume(): Promise<void> {
    this.calls.push('resume')
    this.state = 'ready'
  }
}

describe('a node that an operator stops', () => {
  test('is closed once, and opened anew once, however often it is asked for', async () => {
    const node = new SlowNode()
    const halt = new NodeHalt(node)
    const turns = [halt.begin('restarting'), halt.begin('restarting')]
    node.closed()
    await Promise.all(turns.map(async (turn) => halt.end(await turn)))
    assert.deepEqual(node.calls, ['close: restarting', 'resume'])
    assert.equal(halt.isOn, false)
  })

  test('stays stopped if it is disabled while it closes for a restart', async () => {
    const node = new SlowNode()
    const halt = new NodeHalt(node)
    const restart = halt.begin('restarting').then((turn) => halt.end(turn))
    const disable = halt.begin('disabled')
    node.closed()
    await Promise.all([restart, disable])
    assert.deepEqual([node.state, halt.isOn, node.calls], ['stopped', true, ['close: restarting']])
    await halt.end()
    assert.deepEqual([node.state, halt.isOn], ['ready', false])
  })
})
