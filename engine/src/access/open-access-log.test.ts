import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SessionEnd } from '../observe/viewer-events.js'
import { KeptLog, REAL_CLOCK } from '../listen/loopback.test.kit.js'
import { openAccessLog } from './open-access-log.js'

const SESSION: SessionEnd = {
  ...{ id: 'k3f9-7', node: 'one/ts', path: '/live.ts', client: '192.0.2.1:5000', user: undefined, userAgent: '' },
  ...{ status: 200, bytes: 0, durationMs: 0, skips: 0, skippedBytes: 0, reason: 'left' },
}

async function numbersIn(path: string): Promise<number[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => (JSON.parse(line) as { bytes: number }).bytes)
}

test('each line goes to the destination set at its time, back and forth and through off, none lost or duplicated', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  const log = openAccessLog('off', REAL_CLOCK, new KeptLog().log)
  let bytes = 0
  for (const to of [a, a, b, 'off', a, b]) {
    log.switchTo(to)
    for (let count = 0; count < 3; count++) log.watcher.onEnd({ ...SESSION, bytes: bytes++ })
    await new Promise((resolve) => setImmediate(resolve))
  }
  await log[Symbol.asyncDispose]()
  const [inA, inB] = [await numbersIn(a), await numbersIn(b)]
  assert.deepEqual(
    inA.toSorted((x, y) => x - y),
    [0, 1, 2, 3, 4, 5, 12, 13, 14],
  )
  assert.deepEqual(
    inB.toSorted((x, y) => x - y),
    [6, 7, 8, 15, 16, 17],
  )
  assert.equal(log.droppedLines, 0)
})

test('lines that could not be written are still counted after the log was switched', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const log = openAccessLog(join(folder, 'missing', 'a'), REAL_CLOCK, new KeptLog().log)
  log.watcher.onEnd(SESSION)
  log.switchTo('off')
  await log[Symbol.asyncDispose]()
  assert.equal(log.droppedLines, 1)
})
