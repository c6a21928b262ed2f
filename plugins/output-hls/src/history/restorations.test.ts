import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Clock } from '@millrace/engine/plugin'
import { FakeClock } from '@millrace/engine/testing'
import { Restorations } from './restorations.js'
import type { Restored } from './restored.js'

function deferred(): { readonly promise: Promise<undefined>; resolve(): void } {
  let resolve = (): void => undefined
  const promise = new Promise<undefined>((done) => {
    resolve = () => done(undefined)
  })
  return { promise, resolve: () => resolve() }
}

function askedOf(clock: Pick<Clock, 'after'>, { signal } = new AbortController()) {
  return { clock, signal }
}

describe('what the last process has left', () => {
  test('is read for four outputs at a time, in the order in which they open', async () => {
    const clock = new FakeClock()
    const restorations = new Restorations(clock)
    const began: string[] = []
    const ids = Array.from({ length: 10 }, (_, index) => `one${index}`)
    const turns = ids.map((id) => ({ id, turn: deferred() }))
    const taken = turns.map(({ id, turn }) =>
      restorations.take(id, askedOf(clock), () => {
        began.push(id)
        return turn.promise
      }),
    )
    for (const [at, { turn }] of turns.entries()) {
      assert.deepEqual(began, ids.slice(0, at + 4))
      turn.resolve()
      await taken[at]
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(restorations.size, 0)
  })

  test('is found by the next open where it takes longer than an open may', async () => {
    const clock = new FakeClock()
    const restorations = new Restorations(clock)
    const result = { segments: [] } as unknown as Restored
    let [reads, finish] = [0, (_: Restored): void => undefined]
    const read = (): Promise<Restored> => {
      reads++
      return new Promise((resolve) => {
        finish = resolve
      })
    }
    const first = restorations.take('one', askedOf(clock), read)
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(8000)
    await assert.rejects(first, { code: 'HLS_STORE_READING' })
    const second = restorations.take('one', askedOf(clock), read)
    finish(result)
    assert.equal(await second, result)
    assert.deepEqual([reads, restorations.size], [1, 0])
  })

  test('is read once for all opens of an output, each of which has a clock of its own', async () => {
    const [clock, engine] = [new FakeClock(), {}]
    const result = { segments: [] } as unknown as Restored
    let [reads, finish] = [0, (_: Restored): void => undefined]
    const reading = new Promise<Restored>((resolve) => (finish = resolve))
    const open = (own: Clock): Promise<Restored | undefined> => {
      return Restorations.of(engine, own).take('one', askedOf(own), () => {
        reads++
        return reading
      })
    }
    for (let failed = 0; failed < 2; failed++) {
      using own = clock.scope()
      const opened = open(own)
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(8000)
      await assert.rejects(opened, { code: 'HLS_STORE_READING' })
    }
    const last = open(clock.scope())
    finish(result)
    assert.deepEqual([await last, reads], [result, 1])
    assert.notEqual(Restorations.of({}, clock), Restorations.of(engine, clock))
  })

  test('is forgotten when the output stops, and does not keep others from being read', async () => {
    const clock = new FakeClock()
    const restorations = new Restorations(clock)
    const [slow, stop] = [Array.from({ length: 4 }, deferred), new AbortController()]
    const first = slow.map(({ promise }, index) => restorations.take(`slow${index}`, askedOf(clock), () => promise))
    const stopped = restorations.take('stopped', askedOf(clock, stop), () => Promise.reject(new Error('not wanted')))
    const last = restorations.take('last', askedOf(clock), () => Promise.resolve(undefined))
    stop.abort()
    assert.equal(restorations.size, 5)
    for (const { resolve } of slow) resolve()
    assert.deepEqual(new Set(await Promise.all([...first, stopped, last])), new Set([undefined]))
  })
})
