import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BehaviorSubject } from 'rxjs'
import type { NodeState } from '../observe/status.js'
import type { StateSnapshot } from './node/node-state.js'
import { type EngineNode, RunningNodes } from './running-nodes.js'

/** A node that counts how often anything of it is read. */
class CountingNode {
  static reads = 0
  readonly #current = new BehaviorSubject<StateSnapshot>({
    state: 'opening',
    why: '',
    sinceMs: 0,
    holdsResources: false,
  })
  readonly #id: string
  readonly #kind: string

  constructor(id: string, kind: string) {
    this.#id = id
    this.#kind = kind
  }

  get id(): string {
    CountingNode.reads++
    return this.#id
  }

  get state(): NodeState {
    CountingNode.reads++
    return this.#current.value.state
  }

  get settings(): unknown {
    CountingNode.reads++
    return { definition: { kind: this.#kind } }
  }

  get state$(): BehaviorSubject<StateSnapshot> {
    return this.#current
  }

  become(state: NodeState, why = ''): void {
    this.#current.next({ state, why, sinceMs: 0, holdsResources: state === 'ready' })
  }
}

function nodes(count: number): { readonly all: readonly EngineNode[]; readonly counting: readonly CountingNode[] } {
  const counting = Array.from({ length: count }, (_, n) => new CountingNode(`p/${n}`, n % 2 === 0 ? 'input' : 'output'))
  return { counting, all: counting as unknown as readonly EngineNode[] }
}

/** Reads of nodes that one change of state costs. */
function readsPerChange(count: number): number {
  const { all, counting } = nodes(count)
  const running = new RunningNodes()
  running.update(all)
  const before = CountingNode.reads
  counting[count / 2]!.become('ready')
  return CountingNode.reads - before
}

describe('the running nodes', () => {
  test('a change of one node costs the same, however many nodes run', () => {
    assert.equal(readsPerChange(2000), readsPerChange(2))
  })

  test('are not ready until each is ready, idle or has ended, and are named in the order of the graph', () => {
    const { all, counting } = nodes(5)
    const running = new RunningNodes()
    running.update(all)
    assert.equal(running.notReady().length, 5)
    counting[2]!.become('ready')
    counting[0]!.become('ended')
    counting[4]!.become('idle', 'nobody publishes')
    counting[3]!.become('degraded')
    assert.deepEqual(
      running.notReady().map(({ id }) => id),
      ['p/1', 'p/3'],
    )
  })

  test('have ended inputs when all inputs have ended or failed, and know one that has failed', () => {
    const { all, counting } = nodes(4)
    const running = new RunningNodes()
    assert.equal(running.haveInputsEnded, false)
    running.update(all)
    counting[0]!.become('ended')
    assert.equal(running.haveInputsEnded, false)
    counting[2]!.become('failed')
    assert.equal(running.haveInputsEnded, true)
    assert.equal(running.failedInput, all[2])
    counting[2]!.become('opening')
    assert.equal(running.haveInputsEnded, false)
    assert.equal(running.failedInput, undefined)
  })

  test('report the state of a node that joins, and nothing more of one that has left', () => {
    const { all, counting } = nodes(2)
    const running = new RunningNodes()
    const changed: unknown[] = []
    running.states$.subscribe((node) => changed.push(node))
    counting[0]!.become('failed')
    running.update(all)
    assert.deepEqual(changed, [all[0], all[1]])
    running.update([all[1]!])
    counting[0]!.become('ready')
    assert.equal(changed.length, 2)
    assert.equal(running.has(all[0]), false)
    assert.equal(running.haveInputsEnded, false)
    assert.equal(running.get('p/0'), undefined)
    assert.equal(running.kindOf('p/1'), 'output')
  })
})
