import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NEVER, of } from 'rxjs'
import type { InputDefinition, NodeContext } from '../../plugin/contract.js'
import type { Publisher } from '../../plugin/publisher.js'
import { ScriptedPublisher } from '../../testing/scripted-publishers.js'
import { publishersOf } from './listening-source.js'

/** Connects with what a plugin may return, in JavaScript. */
function connect(publishers: unknown): { readonly admitted: Publisher[]; readonly errors: string[] } {
  const admitted: Publisher[] = []
  const errors: string[] = []
  const fail = (error: unknown): void => void errors.push((error as Error).message)
  const guard: NodeContext['guard'] =
    (run) =>
    (...args) => {
      try {
        return run(...args)
      } catch (error) {
        fail(error)
        return undefined
      }
    }
  const definition = { publishers: () => publishers } as unknown as InputDefinition
  const context = { guard, id: 'a/in' } as unknown as NodeContext
  const listening = { admit: (publisher: Publisher) => void admitted.push(publisher), report: () => undefined }
  try {
    const subscribe = publishersOf(definition, [undefined as never, context, {}], listening)
    subscribe({ error: fail, complete: () => undefined }).unsubscribe()
  } catch (error) {
    fail(error)
  }
  return { admitted, errors }
}

function spoiled(more: object): Publisher {
  const whole = new ScriptedPublisher('a')
  const { key, who, credentials, signal } = whole
  return { key, who, credentials, signal, accept: () => whole.accept(), reject: () => undefined, ...more }
}

describe('publishers of a plugin', () => {
  test('are an observable, and nothing else', () => {
    for (const returned of [undefined, null, 5, Promise.resolve(NEVER), {}]) {
      assert.deepEqual(connect(returned).errors, ['`publishers` has not returned an observable'])
    }
  })

  for (const [name, publisher] of [
    ['nothing', null],
    ['an empty object', {}],
    ['one without a key', spoiled({ key: undefined })],
    ['one without an address', spoiled({ who: {} })],
    ['one without a signal', spoiled({ signal: undefined })],
  ] as const) {
    test(`fail the input if one is ${name}`, () => {
      const { admitted, errors } = connect(of(publisher))
      assert.deepEqual([admitted.length, errors.length], [0, 1])
    })
  }

  test('that return no source are the failure of the input', () => {
    for (const source of [undefined, {}, Promise.resolve(), { chunks: NEVER }]) {
      const { admitted, errors } = connect(of(spoiled({ accept: () => source })))
      assert.throws(() => admitted[0]?.accept({}), /could not be accepted/)
      assert.deepEqual(errors, ['`accept` of a publisher has not returned a source'])
    }
  })

  test('whose source throws when it is closed end all the same', async () => {
    const broken = (): never => {
      throw new Error('broken')
    }
    const { admitted, errors } = connect(
      of(spoiled({ accept: () => ({ chunks: NEVER, [Symbol.asyncDispose]: broken }) })),
    )
    await admitted[0]?.accept({})[Symbol.asyncDispose]()
    assert.deepEqual(errors, ['broken'])
  })
})
