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
  test('hands a definition what it injects, by its own names', async () => {
    const container = new EngineContainer().provide(NAME, 'main').provide(COUNT, 3)
    const deps = await container.openNode(wants({ who: NAME, many: COUNT }), (given) => given)
    assert.deepEqual(deps, { who: 'main', many: 3 })
    assert.deepEqual(await container.openNode(wants({}), (given) => given), {})
  })

  test('of a child sees what its parent provides, and what it provides itself stays its own', async () => {
    const parent = new EngineContainer().provide(NAME, 'main').provide(COUNT, 1)
    const child = parent.child().provide(COUNT, 2)
    const both = wants({ who: NAME, many: COUNT })
    assert.deepEqual(await child.openNode(both, (given) => given), { who: 'main', many: 2 })
    assert.deepEqual(await parent.openNode(both, (given) => given), { who: 'main', many: 1 })
  })

  test('makes what is provided on demand when the first node asks for it, and only once', async () => {
    let made = 0
    const given: unknown[] = []
    const open = (deps: unknown): AsyncDisposable => {
      given.push(deps)
      return { [Symbol.asyncDispose]: () => Promise.resolve() }
    }
    const container = new EngineContainer().provide(NAME, 'main').provideOnDemand(COUNT, () => ++made)
    await container.openNode(wants({ who: NAME }), open)
    assert.equal(made, 0)
    await container.child().openNode(wants({ many: COUNT }), open)
    await container.child().openNode(wants({ many: COUNT }), open)
    assert.deepEqual(given, [{ who: 'main' }, { many: 1 }, { many: 1 }])
  })

  test('says what is missing, and opens nothing', async () => {
    let isOpened = false
    const opening = new EngineContainer().openNode(wants({ who: NAME }), () => (isOpened = true))
    await assert.rejects(opening, { code: 'NODE_UNKNOWN_TOKEN', message: /service test injects who: .*test\.Name/ })
    assert.equal(isOpened, false)
  })

  test('opens a node anew each time, and passes on what opening throws', async () => {
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
