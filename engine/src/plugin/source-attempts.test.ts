import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceAttempts } from './source-attempts.js'
import type { SourceAttempt } from './source-attempts.js'

function open() {
  const attempts: { readonly attempt: SourceAttempt; readonly givenBack: () => void }[] = []
  const source = new SourceAttempts(async (attempt) => {
    let givenBack: () => void = () => undefined
    const back = new Promise<void>((resolve) => (givenBack = resolve))
    attempts.push({ attempt, givenBack })
    const error = await attempt.over
    await back
    if (error !== undefined) throw error
  })
  const seen: unknown[] = []
  const subscribe = () =>
    source.chunks.subscribe({
      next: (received) => seen.push(received),
      error: (error: Error) => seen.push(error.message),
    })
  return { source, attempts, seen, subscribe }
}

test('each subscription is an attempt, which fails with what it is given, once everything is given back', async () => {
  const { source, attempts, seen, subscribe } = open()
  subscribe()
  const bytes = new Uint8Array(1)
  attempts[0]!.attempt.next(bytes)
  source.fail(new Error('lost'))
  await Promise.resolve()
  assert.deepEqual(seen, [bytes])
  attempts[0]!.givenBack()
  await new Promise(setImmediate)
  assert.deepEqual(seen, [bytes, 'lost'])
  subscribe()
  assert.equal(attempts.length, 2)
  attempts[1]!.givenBack()
  await source[Symbol.asyncDispose]()
})

test('an attempt that is unsubscribed is stopped without an error; the end waits for what it holds', async () => {
  const { source, attempts, seen, subscribe } = open()
  subscribe().unsubscribe()
  const [{ attempt, givenBack }] = attempts as [(typeof attempts)[0]]
  assert.equal(attempt.signal.aborted, true)
  assert.equal(await attempt.over, undefined)
  let isOver = false
  const over = source[Symbol.asyncDispose]().then(() => (isOver = true))
  await new Promise(setImmediate)
  assert.equal(isOver, false)
  givenBack()
  await over
  assert.deepEqual(seen, [])
})
