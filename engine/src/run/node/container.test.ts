import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { EngineContainer } from './container.js'
import type { Definition } from '../../plugin/contract.js'
import { defineService } from '../../plugin/define.js'
import { token } from '../../plugin/tokens.js'
import type { Token } from '../../plugin/tokens.js'

const NAME: Token<string> = token('test.Name')
const COUNT: Token<number> = token('test.Count')

function wants(inject: Record<string, Token<unknown>>): Definition {
  const open = (): AsyncDisposable => ({ [Symbol.asyncDispose]: () => Promise.resolve() })
  return defineService({ type: 'test', summary: 'For tests.', options: z.strictObject({}), examples: [], inject, open })
}

describe('the container', () => {
  test('passes a definition its injected values, under its own names', async () => {
    const container = new EngineContainer().provide(NAME, 'main').provide(COUNT, 3)
    const deps = await container.openNode(wants({ who: NAME, many: COUNT }), (given) => given)
    assert.deepEqual(deps, { who: 'main', many: 3 })
    assert.deepEqual(await container.openNode(wants({}), (given) => given), {})
  })

  test('of a child sees what its parent provides, and the parent does not see what the child provides', async () => {
    const parent = new EngineContainer().provide(NAME, 'main').provide(COUNT, 1)
    const child = parent.child().provide(COUNT, 2)
    const both = wants({ who: NAME, many: COUNT })
    assert.deepEqual(await child.openNode(both, (given) => given), { who: 'main', many: 2 })
    assert.deepEqual(await parent.openNode(both, (given) => given), { who: 'main', many: 1 })
  })

  test('names the missing token, and opens nothing', async () => {
    let isOpened = false
    const opening = new EngineContainer().openNode(wants({ who: NAME }), () => (isOpened = true))
    await assert.rejects(opening, { code: 'NODE_UNKNOWN_TOKEN', message: /service test injects who: .*test\.Name/ })
    assert.equal(isOpened, false)
  })

  test('opens a new node each time, and passes on errors of `open`', async () => {
    const container = new EngineContainer()
    let opened = 0
    await container.openNode(wants({}), () => opened++)
    await container.openNode(wants({}), () => opened++)
    assert.equal(opened, 2)
    const broken = new Error('broken')
    for (const open of [
      () => {
        throw broken
      },
      () => Promise.reject(broken),
    ]) {
      await assert.rejects(container.openNode(wants({}), open), (error) => error === broken)
    }
  })
})
