import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { httpError } from './http-errors.js'

/** The sources are in the folder beside the compiled code. */
const source = (name: string): Promise<string> => readFile(new URL(`../src/${name}`, import.meta.url), 'utf8')

test('every error has a test that produces it', async () => {
  const tests = (
    await Promise.all(
      ['http-source', 'http-failures', 'http-tls', 'engine-control'].map((name) => source(`${name}.test.ts`)),
    )
  ).join('')
  for (const code of Object.keys(httpError.table)) assert.ok(tests.includes(`'${code}'`), code)
})

test('only the CA file is a configuration error: upstreams are retried forever', () => {
  for (const [code, { reaction }] of Object.entries(httpError.table)) {
    assert.equal(reaction, code === 'HTTP_CA' ? 'config' : 'retry', code)
  }
})
