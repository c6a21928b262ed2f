import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { SourceSnapshot } from './source-snapshot.js'
import { TempFiles } from './supervised.test.kit.js'

/** Less than a page each: the kernel writes a longer text in steps, and a reader may see the size after each. */
const SHORT = 'a'.repeat(500)
const LONG = 'b'.repeat(4000)

/** Writes the two texts in turn, each with one call, until it is terminated. */
const WRITER = `
const { writeFileSync } = require('node:fs')
const { workerData: { path, texts } } = require('node:worker_threads')
const signal = new Int32Array(new SharedArrayBuffer(4))
for (let turn = 0; ; turn++) {
  writeFileSync(path, texts[turn % 2])
  Atomics.wait(signal, 0, 0, 1)
}`

test('a file that is written while it is read is never read in part', async () => {
  await using files = await TempFiles.make()
  await files.write('live.yaml', SHORT)
  const path = files.path('live.yaml')
  const writer = new Worker(WRITER, { eval: true, workerData: { path, texts: [LONG, SHORT] } })
  try {
    const partial = new Set<string>()
    let read = 0
    for (let turn = 0; turn < 2000; turn++) {
      const text = (await SourceSnapshot.take([path])).textOf(path)
      // Empty for a moment: that is what the file contains between being opened and being written.
      if (text === undefined || text === '') continue
      read++
      if (text !== SHORT && text !== LONG) partial.add(`${text.slice(0, 1)} ${text.length}`)
    }
    assert.deepEqual([...partial], [])
    assert.ok(read > 0)
  } finally {
    await writer.terminate()
  }
})

test('a file that grows between two snapshots has another hash, and its whole text', async () => {
  await using files = await TempFiles.make()
  await files.write('live.yaml', SHORT)
  const path = files.path('live.yaml')
  const before = await SourceSnapshot.take([path])
  await appendFile(path, LONG)
  const after = await SourceSnapshot.take([path])
  assert.equal(after.textOf(path), SHORT + LONG)
  assert.notEqual(after.hashOf([path]), before.hashOf([path]))
})
