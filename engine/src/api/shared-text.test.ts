import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import { SharedText } from './shared-text.js'

test('a text is made for each request that accepts no older one, and for others when it is too old', async () => {
  const clock = new FakeClock()
  let made = 0
  const text = new SharedText(clock, async () => String(++made))
  const read = async (cacheControl?: string): Promise<string> => (await text.read(cacheControl)).text
  assert.deepEqual(
    [await read(), await read('no-cache'), await read('max-age=0'), await read('max-age=x')],
    ['1', '2', '3', '4'],
  )
  clock.advance(1500)
  assert.equal(await read('max-age=2'), '4')
  assert.equal(await read('no-transform, max-age=2'), '4')
  assert.equal(await read('max-age=1'), '5')
  clock.advance(2000)
  assert.equal(await read('max-age=2'), '6')
  clock.advance(10_000)
  assert.equal(await read('max-age=99999'), '7')
})

test('requests that come while a text is made share the next one, and one that cannot be made costs no later one', async () => {
  const clock = new FakeClock()
  let made = 0
  const finish: (() => void)[] = []
  const text = new SharedText(clock, async () => {
    const number = ++made
    await new Promise<void>((resolve) => finish.push(resolve))
    if (number === 2) throw new Error('not now')
    return String(number)
  })
  const first = text.read(undefined)
  while (finish.length < 1) await Promise.resolve()
  const later = Array.from({ length: 50 }, () => text.read(undefined))
  finish.shift()?.()
  assert.equal((await first).text, '1')
  while (finish.length < 1) await Promise.resolve()
  const last = text.read(undefined)
  finish.shift()?.()
  const results = await Promise.allSettled(later)
  assert.ok(results.every(({ status }) => status === 'rejected'))
  while (finish.length < 1) await Promise.resolve()
  finish.shift()?.()
  assert.equal((await last).text, '3')
  assert.equal(made, 3)
})
