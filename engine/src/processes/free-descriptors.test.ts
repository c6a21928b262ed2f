import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hasFreeDescriptors } from './free-descriptors.js'

const HOST = fileURLToPath(new URL('./starved-host.test.kit.js', import.meta.url))
const run = promisify(execFile)

test('a process for which no descriptor is left fails alone, and starts once there are some', async () => {
  const { stdout } = await run('sh', ['-c', 'ulimit -n 80; exec "$0" "$1"', process.execPath, HOST])
  const tries = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { output: string; failure: string | null; answer?: string })
  assert.equal(tries.length, 25)
  assert.match(tries[0]?.failure ?? '', /echo cannot be started: no file descriptor is left/)
  assert.equal(tries[0]?.answer, undefined)
  for (const { output, failure } of tries) assert.equal(output, failure === null ? 'hello\n' : '')
  assert.deepEqual(tries.at(-1), { output: 'hello\n', failure: null, answer: 'hello\n' })
})

test('descriptors that were looked for are free again', () => {
  for (let count = 0; count < 1000; count++) assert.ok(hasFreeDescriptors(30))
})
