import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs, dropPackets } from '@millrace/engine/testing'
import { Framer, hasPayload, PACKET_SIZE, readCounter, readPid } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { Feed } from './feed.js'
import { InletStream } from './inlet-stream.js'
import { ptsOf, soundOf } from './transcode.test.kit.js'

function chunksOf(bytes: Uint8Array): readonly TsChunk[] {
  const framer = new Framer()
  return [...framer.push(bytes, 0), ...framer.finish(0)]
}

/** All that ffmpeg gets of a stream, from its first key frame on behind which so many audio tracks flow. */
function feedWith(bytes: Uint8Array, tracks = 1): Uint8Array {
  const stream = new InletStream()
  const parts: Uint8Array[] = []
  let feed: Feed | undefined
  for (const chunk of chunksOf(bytes)) {
    const entry = stream.push(chunk)
    const plan = stream.plan(0, 1000)
    if (feed === undefined && (entry.start === undefined || plan?.video === undefined || plan.audio.length < tracks))
      continue
    feed ??= new Feed(plan!)
    if (entry.start !== undefined) parts.push(feed.tables())
    parts.push(feed.take(entry.bytes))
  }
  return Buffer.concat(parts)
}

function countersOf(bytes: Uint8Array): { pids: Set<number>; errors: number } {
  const last = new Map<number, number>()
  let errors = 0
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const [pid, counter] = [readPid(bytes, at), readCounter(bytes, at)]
    const before = last.get(pid)
    if (before !== undefined && counter !== ((before + (hasPayload(bytes, at) ? 1 : 0)) & 15)) errors++
    last.set(pid, counter)
  }
  return { pids: new Set(last.keys()), errors }
}

describe('what ffmpeg reads', () => {
  test('has fixed PIDs, tables of its own, and the pictures and the sound of the source', () => {
    const { bytes } = buildTs({ durationS: 3 })
    const fed = feedWith(bytes)
    const { pids, errors } = countersOf(fed)
    assert.deepEqual(
      [...pids].sort((a, b) => a - b),
      [0, 0x100, 0x110, 0x1000],
    )
    assert.equal(errors, 0)
    assert.ok(
      ptsOf(bytes)
        .slice(-50)
        .every((pts) => ptsOf(fed).includes(pts)),
    )
  })

  test('has all audio tracks, each on its PID, in the languages of the source', () => {
    const { bytes } = buildTs({ durationS: 3, audio: [{ language: 'deu' }, { language: 'eng' }] })
    const fed = feedWith(bytes, 2)
    const { pids, errors } = countersOf(fed)
    assert.deepEqual(
      [...pids].sort((a, b) => a - b),
      [0, 0x100, 0x110, 0x111, 0x1000],
    )
    assert.equal(errors, 0)
    assert.deepEqual(soundOf(fed), ['110 deu', '111 eng'])
  })

  test('keeps what is missing in the source visible', () => {
    const { bytes } = buildTs({ durationS: 3 })
    const { errors } = countersOf(feedWith(dropPackets(bytes, { every: 97 }).bytes))
    assert.ok(errors > 0)
  })
})
