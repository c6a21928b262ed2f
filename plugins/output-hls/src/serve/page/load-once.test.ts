import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadOnce } from './load-once.js'

test('what could not be loaded is loaded by the next who asks, and then no more', async () => {
  const results = [() => Promise.reject(new Error('EMFILE')), () => Promise.resolve('files')]
  const load = loadOnce(() => results.shift()!())
  const asked = [load(), load()]
  for (const each of asked) await assert.rejects(each, /EMFILE/)
  assert.deepEqual(await Promise.all([load(), load()]), ['files', 'files'])
  assert.equal(await load(), 'files')
})
