import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { tcpError } from './tcp-errors.js'

/** The sources are in the folder beside the compiled code. */
const source = (name: string): Promise<string> => readFile(new URL(`../src/${name}`, import.meta.url), 'utf8')

test('every error has a test that produces it', async () => {
  const tests = (await Promise.all(['tcp-source.test.ts', 'tcp-publishers.test.ts'].map(source))).join('')
  for (const code of Object.keys(tcpError.table)) assert.ok(tests.includes(`'${code}'`), code)
})

test('what a sender does is retried forever; only mistakes of the configuration are final', () => {
  const final = Object.entries(tcpError.table).flatMap(([code, { reaction }]) => (reaction === 'retry' ? [] : [code]))
  assert.deepEqual(final, ['TCP_CA', 'TCP_NO_STREAMS', 'TCP_NOT_LISTENING'])
})
