// Splice information: segments begin at splices, and playlists say what it is.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isUnitStart, PACKET_SIZE, readPid } from '@millrace/media/mpegts'
import { paced, PresentationBench, type TimedChunk } from './presentation.test.kit.js'

const SCTE35 = 0x110
const FROM_PTS = 900_000
const SECOND = 90_000

/** CRC_32, ISO/IEC 13818-1 annex A. */
function crcOf(bytes: readonly number[]): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  }
  return crc >>> 0
}

function be(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(value / 256 ** (count - 1 - index)) % 256)
}

function time(marker: number, ticks: number): number[] {
  const [first = 0, ...rest] = be(ticks, 5)
  return [marker | first, ...rest]
}

/** splice_insert(), ANSI/SCTE 35 9.7.3. */
function insert(event: number, isOut: boolean, pts90k: number, break90k?: number): readonly number[] {
  const flags = (isOut ? 0x80 : 0) | 0x40 | (break90k === undefined ? 0 : 0x20) | 0x0f
  const duration = break90k === undefined ? [] : time(0xfe, break90k)
  const command = [...be(event, 4), 0x7f, flags, ...time(0xfe, pts90k), ...duration, 0, 1, 0, 0]
  const body = [0, 0, 0, 0, 0, 0, 0, 0xff, 0xf0 | (command.length >> 8), command.length & 0xff, 5, ...command, 0, 0]
  const section = [0xfc, 0x30, body.length + 4, ...body]
  return [...section, ...be(crcOf(section), 4)]
}

/** Replaces messages of the stream, each the first one after that time. */
function stream(durationS: number, messages: readonly (readonly [atMs: number, section: readonly number[]])[]) {
  const video = { gopFrames: 25, fps: 25, bFrames: 2 }
  const chunks = paced({ durationS, startPts90k: FROM_PTS, video, data: [{ kind: 'scte35' }] })
  const left = [...messages]
  for (const { atMs, chunk } of chunks) {
    for (let at = 0; at < chunk.bytes.length && left.length > 0; at += PACKET_SIZE) {
      const isMessage = readPid(chunk.bytes, at) === SCTE35 && isUnitStart(chunk.bytes, at)
      if (!isMessage || atMs < left[0]![0]) continue
      const [, section] = left.shift()!
      chunk.bytes.fill(0xff, at + 4, at + PACKET_SIZE)
      // Payload without an adaptation field.
      chunk.bytes[at + 3] = (chunk.bytes[at + 3]! & 0x0f) | 0x10
      chunk.bytes.set([0, ...section], at + 4)
    }
  }
  assert.equal(left.length, 0)
  return chunks
}

function rangesOf(bench: PresentationBench): readonly ReadonlyMap<string, string>[] {
  const text = bench.presentation.life!.text('main')!.text
  return [...text.matchAll(/#EXT-X-DATERANGE:(.*)\n/g)].map(([, attributes = '']) => {
    return new Map(
      [...attributes.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)].map(([, name = '', value = '']) => [name, value]),
    )
  })
}

function at(seconds: number): number {
  return FROM_PTS + seconds * SECOND
}

/** A stream with one break from second 11 to 19; each message comes twice. */
function withBreak(durationS = 30): readonly TimedChunk[] {
  const out = insert(7, true, at(11), 8 * SECOND)
  const back = insert(7, false, at(19))
  return stream(durationS, [
    [5000, out],
    [6000, out],
    [15_000, back],
    [16_000, back],
  ])
}

describe('a break', () => {
  const bench = new PresentationBench({ windowMs: 60_000 }).play([withBreak()])
  const { segments } = bench.playlist()
  const [first] = segments

  test('begins and ends with a segment, at its key frames', () => {
    const starts = segments.map(({ dateMs }) => Math.round((dateMs - first!.dateMs) / 1000))
    assert.ok(starts.includes(11) && starts.includes(19), starts.join(', '))
    assert.ok(segments.every(({ seconds }) => seconds >= 1))
    assert.equal(bench.presentation.counters.forcedCuts, 0)
  })

  test('is one date range, with the messages of its beginning and its end', () => {
    const [range, ...more] = rangesOf(bench)
    assert.equal(more.length, 0)
    const startMs = Date.parse(range!.get('START-DATE')!.slice(1, -1))
    assert.ok(Math.abs(startMs - first!.dateMs - 11_000) < 50, `${startMs - first!.dateMs}`)
    assert.match(range!.get('ID')!, /^"splice-00000007-\d+"$/)
    assert.equal(range!.get('PLANNED-DURATION'), '8.000')
    assert.ok(Math.abs(Number(range!.get('DURATION')) - 8) < 0.05)
    const hex = (section: readonly number[]) => `0x${Buffer.from(section).toString('hex').toUpperCase()}`
    assert.equal(range!.get('SCTE35-OUT'), hex(insert(7, true, at(11), 8 * SECOND)))
    assert.equal(range!.get('SCTE35-IN'), hex(insert(7, false, at(19))))
  })
})

test('a date range is announced before it begins, and leaves with its segments', () => {
  const bench = new PresentationBench({ windowMs: 10_000 })
  const chunks = withBreak(50)
  bench.play([chunks.filter(({ atMs }) => atMs < 8500)])
  assert.equal(rangesOf(bench).length, 1)
  bench.play([chunks.filter(({ atMs }) => atMs >= 8500 && atMs < 28_000)])
  assert.equal(rangesOf(bench).length, 1)
  bench.play([chunks.filter(({ atMs }) => atMs >= 28_000)])
  assert.equal(rangesOf(bench).length, 0)
})

test('a splice where no key frame is ends the segment at the next one; one on another clock is left out and told', () => {
  const bench = new PresentationBench({ windowMs: 60_000 })
  bench.play([
    stream(20, [
      [5000, insert(1, true, at(9.4))],
      [6000, insert(2, true, at(50_000))],
    ]),
  ])
  const { segments } = bench.playlist()
  const starts = segments.map(({ dateMs }) => Math.round((dateMs - segments[0]!.dateMs) / 1000))
  assert.ok(starts.includes(10), starts.join(', '))
  assert.equal(rangesOf(bench).length, 1)
  assert.deepEqual(bench.warned, ['splice'])
})
