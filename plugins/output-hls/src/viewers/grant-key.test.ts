import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeContext, FakeStore } from '@millrace/engine/testing'
import { readGrantKey } from './grant-key.js'

test('the key is the same in the next process; one that is damaged is replaced', async () => {
  await using store = new FakeStore()
  const { log } = new FakeContext()
  const key = await readGrantKey(store, log)
  assert.equal(key.length, 32)
  assert.deepEqual(Buffer.from(await readGrantKey(store, log)), Buffer.from(key))
  await store.write('grants.key', key.subarray(1))
  const next = await readGrantKey(store, log)
  assert.notDeepEqual(Buffer.from(next), Buffer.from(key))
  assert.deepEqual(Buffer.from(await readGrantKey(store, log)), Buffer.from(next))
})

test('without a folder that can be used there is a key all the same, and a log line says what that costs', async () => {
  const context = new FakeContext()
  const broken = { read: () => Promise.reject(new Error('gone')), write: () => Promise.reject(new Error('gone')) }
  assert.equal((await readGrantKey(broken, context.log)).length, 32)
  assert.equal((await readGrantKey(undefined, context.log)).length, 32)
  assert.deepEqual(
    context.lines.map(({ level }) => level),
    ['warn'],
  )
})
