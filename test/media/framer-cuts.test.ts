import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import type { BuiltTs } from '@millrace/engine/testing'
import { Framer, MAX_CHUNK_BYTES } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { checkTs } from '../oracle/check-ts.js'
import { bytesOf, frame } from './frame.js'
import { builtStreams, clips, PACKET } from './streams.js'

test('every random access point starts a chunk, together with the PAT and PMT directly before it', () => {
  for (const { name, built } of builtStreams()) {
    if (built.keyframes.length === 0) continue
    for (const piece of [PACKET, 1000, 5000, 65536, built.bytes.length]) {
      assert.deepEqual(randomAccessStarts(frame(built.bytes, { piece }).chunks), expectedStarts(built), name)
    }
  }
})

test('a flush never separates the tables from the key picture, and an undecided picture waits for one flush', () => {
  for (const { name, built } of builtStreams()) {
    const expected = expectedStarts(built)
    for (const start of expected) {
      const key = built.keyframes.find((offset) => offset >= start) ?? 0
      // One flush anywhere from the tables to the second packet of the picture's PID.
      for (let at = start; at <= key + 2 * PACKET; at += PACKET) {
        const framer = new Framer()
        const chunks = [...framer.push(built.bytes.subarray(0, at), 0), ...framer.flush(1)]
        chunks.push(...framer.push(built.bytes.subarray(at, at + 100 * PACKET), 2), ...framer.finish(3))
        assert.ok(randomAccessStarts(chunks).includes(start), `${name}: flush at ${at}, key picture at ${key}`)
      }
    }
  }
})

test('what one flush holds back, the next one returns', () => {
  for (const { name, built } of builtStreams()) {
    const framer = new Framer()
    framer.push(built.bytes.subarray(0, 3 * PACKET), 0)
    framer.flush(0)
    framer.flush(0)
    for (let at = 3 * PACKET; at < Math.min(built.bytes.length, 600 * PACKET); at += PACKET) {
      const out = [...framer.push(built.bytes.subarray(at, at + PACKET), at)]
      out.push(...framer.flush(at), ...framer.flush(at))
      assert.equal(bytesOf(out).length, PACKET, `${name} at ${at}`)
    }
  }
})

test('a flush returns what was pushed, and nothing if nothing was pushed', () => {
  const framer = new Framer()
  assert.deepEqual(framer.flush(0), [])
  framer.push(buildTs({ durationS: 1 }).bytes, 1)
  framer.flush(2)
  framer.flush(3)
  assert.deepEqual(framer.flush(4), [])
})

test('chunks stay within 256 KiB when a stream has no random access points', () => {
  const { bytes } = buildTs({ durationS: 4, video: { keyPicture: 'none', bitrate: 6_000_000, gopFrames: Infinity } })
  const { chunks } = frame(bytes, { piece: 100_000 })
  assert.ok(chunks.length > 5)
  assert.ok(chunks.every((chunk) => chunk.bytes.length <= MAX_CHUNK_BYTES && !chunk.randomAccess))
  assert.ok(chunks.slice(0, -1).every((chunk) => chunk.bytes.length > MAX_CHUNK_BYTES / 2))
  assert.equal(bytesOf(chunks).length, bytes.length)
})

test('sequence numbers continue from the given one, without gaps', () => {
  const { bytes } = buildTs({ durationS: 2 })
  const { chunks } = frame(bytes, { generation: 3, firstSeq: 17, piece: 1000, flushEvery: 4 })
  for (const [index, { origin }] of chunks.entries()) assert.deepEqual(origin, { generation: 3, seq: 17 + index })
  assert.equal(chunks[0]?.discontinuity, 'source')
  assert.ok(chunks.slice(1).every(({ discontinuity }) => discontinuity === false))
})

test('an audio-only stream is cut twice a second', () => {
  for (const bytes of [buildTs({ durationS: 5, video: false }).bytes, clips().at(-1)?.bytes ?? new Uint8Array(0)]) {
    const { chunks } = frame(bytes, { piece: 1000 })
    const points = chunks.filter(({ randomAccess }) => randomAccess).length
    assert.ok(points >= 8 && points <= 11, `${points} random access points in 5 s`)
  }
})

test('the selected program cuts, whichever it is', () => {
  const built = buildTs({ durationS: 2, programs: [{ video: { gopFrames: 25 } }, { video: { gopFrames: 10 } }] })
  const second = built.units
    .filter(({ pid, randomAccess }) => pid === 0x120 && randomAccess)
    .map(({ offset }) => offset)
  const starts = randomAccessStarts(frame(built.bytes, { program: 2 }).chunks)
  assert.equal(starts.length, second.length)
  for (const [index, start] of starts.entries()) assert.ok(start <= (second[index] ?? 0))
  assert.deepEqual(randomAccessStarts(frame(built.bytes, { program: 9 }).chunks), [])
})

test("every chunk of ffmpeg's clips that is marked randomAccess begins with a picture at which a decoder can start", () => {
  for (const { name, bytes, hasVideo } of clips()) {
    if (!hasVideo) continue
    const { chunks } = frame(bytes, { piece: 3000, flushEvery: 7 })
    const starts = randomAccessStarts(chunks)
    const expected = name === 'testcard.ts' ? 8 : name === 'mpeg2-mp2.ts' ? 7 : name === 'h264-open-gop.ts' ? 5 : 4
    assert.equal(starts.length, expected, name)
    for (const start of starts) {
      const { firstVideoUnit } = checkTs(bytes.subarray(start, start + 500 * PACKET))
      // The tables may be before the start: then the checker does not know the stream type.
      assert.notEqual(firstVideoUnit?.keyPicture, false, `${name} at ${start}`)
    }
  }
})

/** Offsets in the stream of the chunks that begin at a random access point. */
function randomAccessStarts(chunks: readonly TsChunk[]): number[] {
  let at = 0
  const starts: number[] = []
  for (const { bytes, randomAccess } of chunks) {
    if (randomAccess) starts.push(at)
    at += bytes.length
  }
  return starts
}

/**
 * The expected starts: where the runs of whole PAT and PMT sections before the key pictures begin, else the pictures.
 */
function expectedStarts(built: BuiltTs): number[] {
  const tables = built.sections.filter(({ tableId }) => tableId === 0 || tableId === 2)
  const firstPmt = tables.find(({ tableId }) => tableId === 2)?.lastOffset ?? 0
  return built.keyframes
    .filter((offset) => offset > firstPmt)
    .map((offset) => {
      let start = offset
      for (;;) {
        const before = tables.find(
          (table) => table.lastOffset + PACKET === start && isOneRun(built, table.offset, table.lastOffset),
        )
        if (before === undefined) return start
        start = before.offset
      }
    })
}

function isOneRun(built: BuiltTs, from: number, to: number): boolean {
  const pid = (at: number): number => (((built.bytes[at + 1] ?? 0) & 0x1f) << 8) | (built.bytes[at + 2] ?? 0)
  for (let at = from; at <= to; at += PACKET) if (pid(at) !== pid(from)) return false
  return true
}
