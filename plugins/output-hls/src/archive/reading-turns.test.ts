import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadingTurns } from './reading-turns.js'

test('one network waits with four reads, all of them with sixteen; one is read at a time', async () => {
  const turns = new ReadingTurns()
  let running = 0
  const read = async (): Promise<void> => {
    assert.equal(++running, 1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
  }
  const ask = (address: string) => turns.run(address, read)
  const first = Array.from({ length: 8 }, (_, index) => ask(`2001:db8::${index}`))
  assert.equal(first.filter((each) => each === 'busy').length, 4)
  assert.notEqual(ask('10.0.0.1'), 'busy', 'others are served')
  const others = Array.from({ length: 20 }, (_, index) => ask(`10.0.1.${index}`))
  assert.equal(others.filter((each) => each === 'busy').length, 9)
  await Promise.all([...first, ...others])
  assert.notEqual(ask('2001:db8::1'), 'busy')
})

test('a read that fails makes room', async () => {
  const turns = new ReadingTurns()
  for (let count = 0; count < 20; count++) {
    await assert.rejects(async () => turns.run('10.0.0.1', () => Promise.reject(new Error('no disk'))), /no disk/)
  }
})
