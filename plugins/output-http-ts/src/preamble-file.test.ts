import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isEngineError } from '@millrace/engine/plugin'
import { readPreamble } from './preamble-file.js'

let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-preamble-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function packets(count: number): Buffer {
  const bytes = Buffer.alloc(count * 188, 0xff)
  for (let at = 0; at < bytes.length; at += 188) bytes[at] = 0x47
  return bytes
}

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

test('reads a file of whole packets', async () => {
  assert.deepEqual(Buffer.from(await readPreamble(fileOf('good', packets(3)))), packets(3))
})

const bad: readonly { name: string; bytes: Uint8Array; says: RegExp }[] = [
  { name: 'an empty file', bytes: packets(0), says: /is empty/ },
  { name: 'a file with half a packet at the end', bytes: packets(2).subarray(0, 300), says: /300 bytes/ },
  { name: 'a packet without sync byte', bytes: Buffer.concat([packets(1), Buffer.alloc(188)]), says: /at byte 188/ },
  { name: 'a file that is too large', bytes: packets(90_000), says: /more than 16777216 bytes/ },
]

for (const { name, bytes, says } of bad) {
  test(`refuses ${name}, and names the file`, async () => {
    const path = fileOf('bad', bytes)
    await assert.rejects(readPreamble(path), (error: Error) => {
      assert.match(error.message, says)
      assert.ok(error.message.includes(path))
      return isEngineError(error) && error.code === 'HTTP_TS_BAD_PREAMBLE'
    })
  })
}

test('refuses a missing file, a folder, and a FIFO without a writer', async () => {
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  for (const path of [join(folder, 'none'), folder, fifo]) {
    await assert.rejects(readPreamble(path), (error) => {
      return isEngineError(error) && error.code === 'HTTP_TS_PREAMBLE_UNREADABLE'
    })
  }
})
