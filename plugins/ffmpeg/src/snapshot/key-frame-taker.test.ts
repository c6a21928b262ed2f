import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { Framer, hasRandomAccessIndicator, isUnitStart, PACKET_SIZE, readPid } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { breakSyncByte, buildTs, dropPackets, junkBetween, scramble } from '@millrace/engine/testing'
import fc from 'fast-check'
import { fieldCodedTs } from './field-coded.test.kit.js'
import { KeyFrameTaker } from './key-frame-taker.js'

const VIDEO = 0x100

function framed(bytes: Uint8Array, pieceBytes = 188 * 20): readonly TsChunk[] {
  const framer = new Framer()
  const chunks: TsChunk[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    chunks.push(...framer.push(bytes.subarray(at, at + pieceBytes), at / 100), ...framer.flush(at / 100))
  }
  return chunks
}

function numberOf({ newest }: KeyFrameTaker): number | undefined {
  return newest?.number
}

function pidsOf(bytes: Uint8Array): readonly number[] {
  const pids = new Set<number>()
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) pids.add(readPid(bytes, at))
  return [...pids]
}

describe('a key frame', () => {
  for (const codec of ['h264', 'h265', 'mpeg2'] as const) {
    test(`of ${codec} is taken with its tables, and without sound, when the next picture begins`, () => {
      const built = buildTs({ durationS: 3, video: { codec, gopFrames: 25 }, audio: {} })
      const taker = new KeyFrameTaker()
      for (const chunk of framed(built.bytes)) taker.push(chunk)
      assert.equal(taker.newest?.number, 3)
      const pids = pidsOf(taker.newest.bytes)
      assert.equal(pids[0], 0)
      assert.deepEqual([pids.includes(VIDEO), pids.length], [true, 3], 'PAT, PMT, video')
      assert.equal(taker.newest.pid, VIDEO)
    })
  }

  test('has the same bytes however the stream arrives', () => {
    const { bytes } = buildTs({ durationS: 2, video: { bitrate: 3_000_000 } })
    const frames = [188, 188 * 7, 188 * 100, bytes.length].map((pieceBytes) => {
      const taker = new KeyFrameTaker()
      for (const chunk of framed(bytes, pieceBytes)) taker.push(chunk)
      const { newest } = taker
      const video: Uint8Array[] = []
      for (let at = 0; at < (newest?.bytes.length ?? 0); at += PACKET_SIZE) {
        if (readPid(newest!.bytes, at) === VIDEO) video.push(newest!.bytes.subarray(at, at + PACKET_SIZE))
      }
      return Buffer.concat(video).toString('hex')
    })
    assert.ok((frames[0]?.length ?? 0) > 188)
    assert.equal(new Set(frames).size, 1)
  })

  for (const isJoined of [false, true]) {
    test(`that is coded as two fields is taken with both, in ${isJoined ? 'one PES packet' : 'two'}`, () => {
      const pictures = [100, 120, 140].map((top) => ({ top, bottom: top + 60 }))
      const taker = new KeyFrameTaker()
      for (const chunk of framed(fieldCodedTs(pictures, { isJoined }))) taker.push(chunk)
      assert.equal(taker.newest?.number, 2)
      const args = ['-v', 'error', '-f', 'mpegts', '-i', 'pipe:0', '-frames:v', '1', '-pix_fmt', 'gray']
      const lines = execFileSync('ffmpeg', [...args, '-f', 'rawvideo', '-'], { input: taker.newest.bytes })
      assert.equal(lines.length, 64 * 64)
      // Gray of ffmpeg is that of the whole range.
      const [first = 0, second = 0] = [lines[64 * 20], lines[64 * 21]]
      assert.ok(Math.abs(first - ((120 - 16) * 255) / 219) < 3, `${first} in the lines of the first field`)
      assert.ok(Math.abs(second - ((180 - 16) * 255) / 219) < 3, `${second} in those of the second one`)
    })
  }

  test('at the end of the stream is complete', () => {
    const { bytes } = buildTs({ durationS: 1, video: { gopFrames: Infinity, fps: 1 } })
    const taker = new KeyFrameTaker()
    for (const chunk of framed(bytes)) taker.push(chunk)
    assert.equal(taker.newest, undefined)
    assert.equal(taker.finish(), true)
    assert.equal(numberOf(taker), 1)
  })

  test('of radio does not exist, and the reason is said', () => {
    const taker = new KeyFrameTaker()
    for (const chunk of framed(buildTs({ durationS: 2, video: false, audio: {} }).bytes)) taker.push(chunk)
    assert.equal(taker.newest, undefined)
    assert.equal(taker.lack, 'the stream has no pictures')
  })

  test('whose packets were lost in between is left out', () => {
    const chunks = framed(buildTs({ durationS: 3, video: { bitrate: 3_000_000 } }).bytes)
    const taker = new KeyFrameTaker()
    for (const chunk of chunks) taker.push({ ...chunk, discontinuity: chunk.randomAccess ? false : 'lost' })
    assert.equal(taker.newest, undefined)
  })

  test('of which a packet is missing is left out, but not many in a row', () => {
    const { bytes } = buildTs({ durationS: 12, video: { bitrate: 3_000_000, gopFrames: 25 } })
    /** Without one of the packets of each key frame but the first. */
    const damaged = (isLast: boolean): Uint8Array => {
      const starts: number[] = []
      for (let at = 0; at < bytes.length; at += PACKET_SIZE)
        if (readPid(bytes, at) === VIDEO && isUnitStart(bytes, at)) starts.push(at)
      const keys = starts.filter((at) => hasRandomAccessIndicator(bytes, at)).slice(1)
      const drop = new Set<number>()
      for (const key of keys) {
        const next = starts.find((at) => at > key) ?? bytes.length
        const packets: number[] = []
        for (let at = key + PACKET_SIZE; at < next; at += PACKET_SIZE)
          if (readPid(bytes, at) === VIDEO) packets.push(at)
        drop.add(packets.at(isLast ? -1 : 0)!)
      }
      return bytes.filter((_, at) => !drop.has(at - (at % PACKET_SIZE)))
    }
    for (const isLast of [false, true]) {
      const taker = new KeyFrameTaker()
      const taken: number[] = []
      let keys = 0
      for (const chunk of framed(damaged(isLast))) {
        if (chunk.randomAccess) keys++
        if (taker.push(chunk)) taken.push(keys - 1)
      }
      assert.deepEqual(taken, [0, 6], 'the first one is whole; then five are left out')
    }
  })

  test('is whole packets of tables and of its own PID, whatever has happened to the stream', () => {
    const { bytes } = buildTs({ durationS: 2 })
    const damages = [
      (every: number) => dropPackets(bytes, { every }).bytes,
      (every: number) => scramble(bytes, { every }).bytes,
      (every: number) => junkBetween(bytes, { every }).bytes,
      (every: number) => breakSyncByte(bytes, { every }).bytes,
    ]
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100 }), fc.nat({ max: damages.length - 1 }), (every, which) => {
        const taker = new KeyFrameTaker()
        for (const chunk of framed(damages[which]!(every))) taker.push(chunk)
        const { newest } = taker
        if (newest === undefined) return
        assert.equal(newest.bytes.length % PACKET_SIZE, 0)
        assert.ok(newest.bytes.length < bytes.length)
      }),
      { numRuns: 60 },
    )
  })
})
