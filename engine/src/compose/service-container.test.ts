import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { ServiceContainer } from './service-container.js'
import type { Definition } from '../plugin/contract.js'
import { defineService } from '../plugin/define.js'
import { token } from '../plugin/tokens.js'
import type { Token } from '../plugin/tokens.js'

const NAME: Token<string> = token('test.Name')
const COUNT: Token<number> = token('test.Count')

/** What `open` returns: a node that keeps what it was given. */
function nodeWith<T extends object>(more: T): T & AsyncDisposable {
  return { ...more, [Symbol.asyncDispose]: () => Promise.resolve() }
}

function wants(inject: Record<string, Token<unknown>>): Definition {
  const open = (): AsyncDisposable => ({ [Symbol.asyncDispose]: () => Promise.resolve() })
  return defineService({ type: 'test', summary: 'For tests.', options: z.strictObject({}), examples: [], inject, open })
}

async function depsOf(container: ServiceContainer, definition: Definition): Promise<unknown> {
  let given: unknown
  await container.openNode(definition, (deps) => {
    given = deps
    return nodeWith({})
  })
  return given
}

describe('the container', () => {
  test('passes a definition its injected values, under its own names', async () => {
    const container = new ServiceContainer().value(NAME, 'main').value(COUNT, 3)
    assert.deepEqual(await depsOf(container, wants({ who: NAME, many: COUNT })), { who: 'main', many: 3 })
    assert.deepEqual(await depsOf(container, wants({})), {})
  })

  test('of a child sees what its parent provides, and the parent does not see what the child provides', async () => {
    const parent = new ServiceContainer().value(NAME, 'main').value(COUNT, 1)
    const child = parent.child().value(COUNT, 2)
    const both = wants({ who: NAME, many: COUNT })
    assert.deepEqual(await depsOf(child, both), { who: 'main', many: 2 })
    assert.deepEqual(await depsOf(parent, both), { who: 'main', many: 1 })
  })

  test('creates a value provided on demand when the first node asks for it, and only once', async () => {
    let made = 0
    const container = new ServiceContainer().value(NAME, 'main').service(COUNT, [], () => ++made)
    await depsOf(container, wants({ who: NAME }))
    assert.equal(made, 0)
    for (const child of [container.child(), container.child()]) {
      assert.deepEqual(await depsOf(child, wants({ many: COUNT })), { many: 1 })
    }
  })

  test('names the missing token, and opens nothing', async () => {
    let isOpened = false
    const opening = new ServiceContainer().openNode(wants({ who: NAME }), () => (isOpened = true))
    await assert.rejects(opening, { code: 'NODE_UNKNOWN_TOKEN', message: /service test injects who: .*test\.Name/ })
    assert.equal(isOpened, false)
  })

  test('opens a new node each time, and passes on errors of `open`', async () => {
    const container = new ServiceContainer()
    let opened = 0
    await container.openNode(wants({}), () => nodeWith({ number: opened++ }))
    await container.openNode(wants({}), () => nodeWith({ number: opened++ }))
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

  test('refuses what can not be disposed', async () => {
    const opening = new ServiceContainer().openNode(wants({}), () => ({}))
    await assert.rejects(opening, { name: 'TypeError', message: /without \[Symbol\.asyncDispose\]/ })
  })
})
