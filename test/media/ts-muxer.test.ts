// The muxer against a checker and a decoder that know nothing of it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Frame, Track } from '@millrace/media/elementary'
import {
  CONTINUITY_ERROR,
  CRC_ERROR,
  Framer,
  MARK_FLAGS,
  MARK_SIZE,
  SYNC_BYTE_ERROR,
  SYNC_LOSS,
  Timeline,
} from '@millrace/media/mpegts'
import { TsDemuxer } from '@millrace/media/mpegts/demux'
import { checkTs, TsChecker } from '../oracle/check-ts.js'
import type { TsReport } from '../oracle/check-ts.js'
import { AUDIO, builtFrames, keptMuxer, makeFrame, VIDEO } from './frame-source.js'

const VIDEO_PID = 0x100
const AUDIO_PID = 0x110
const PMT_PID = 0x1000
const WRONG = SYNC_LOSS | SYNC_BYTE_ERROR | CONTINUITY_ERROR | CRC_ERROR

function assertSound(report: TsReport): void {
  const { syncErrors, leftoverBytes, continuityErrors, duplicates, crcErrors } = report
  assert.deepEqual(
    { syncErrors, leftoverBytes, continuityErrors, duplicates, crcErrors },
    { syncErrors: 0, leftoverBytes: 0, continuityErrors: 0, duplicates: 0, crcErrors: 0 },
  )
  assert.ok(report.startsWithPat && report.psiBeforeFirstUnit)
  for (const units of Object.values(report.units)) {
    assert.equal(units.dtsNotIncreasing + units.wrongLength + units.noStartCode + units.beforeUnitStart, 0)
  }
  for (const clock of Object.values(report.clocks)) {
    assert.equal(clock.jumps, 0)
    assert.ok(clock.maxStepMs <= 40.001, `a PCR after ${clock.maxStepMs} ms`)
  }
}

function decode(bytes: Uint8Array, ...args: readonly string[]): string {
  const line = ['-v', 'warning', '-f', 'mpegts', '-i', 'pipe:0', ...args, '-f', 'null', '-']
  const { stderr, status } = spawnSync('ffmpeg', line, { input: bytes, timeout: 60_000 })
  assert.equal(status, 0, String(stderr))
  return String(stderr)
}

for (const bFrames of [0, 2]) {
  test(`H.264 and AAC with ${bFrames} B pictures satisfy the checker, and ffmpeg decodes them without a warning`, () => {
    const { muxer, bytes } = keptMuxer()
    for (const frame of builtFrames({ bFrames }, 4)) muxer.push(frame)
    assert.deepEqual({ ...muxer.counters, frames: 0 }, { frames: 0, dropped: 0, late: 0 })
    const report = checkTs(bytes())
    assertSound(report)
    assert.equal(report.units[VIDEO_PID]!.randomAccessIndicators, 4)
    assert.equal(decode(bytes()), '')
  })
}

test('H.265 satisfies the checker, which finds each key picture', () => {
  const { muxer, bytes } = keptMuxer()
  for (const frame of builtFrames({ codec: 'h265' }, 4)) muxer.push(frame)
  const report = checkTs(bytes())
  assertSound(report)
  assert.equal(report.units[VIDEO_PID]!.randomAccessIndicators, 4)
  assert.equal(report.firstVideoUnit?.keyPicture, true)
})

test('each frame comes out at once', () => {
  const { muxer, parts } = keptMuxer()
  for (const frame of builtFrames({}, 1)) {
    const before = parts.length
    muxer.push(frame)
    assert.ok(parts.length > before)
  }
})

test('a track that comes late, changes and goes makes a new PMT version each time and keeps its PID', () => {
  const { muxer, bytes } = keptMuxer()
  const push = (track: Track, at: number): void => muxer.push(makeFrame(track, Uint8Array.of(0x65, 0x88, 1), at * 1920))
  const sound = makeFrame(AUDIO, new Uint8Array(100).fill(7), 0)
  push(VIDEO, 0)
  muxer.push({ ...sound, pts90k: 1920 })
  muxer.setTrack({ ...AUDIO, config: AUDIO.config.slice() })
  muxer.setTrack({ ...AUDIO, config: Uint8Array.of(0x12, 0x10) })
  push(VIDEO, 2)
  muxer.removeTrack(AUDIO.id)
  push(VIDEO, 3)
  muxer.push({ ...sound, pts90k: 4 * 1920 })
  const pids = new Set<number>()
  const versions: number[] = []
  const all = bytes()
  for (let at = 0; at < all.length; at += 188) {
    const pid = ((all[at + 1]! & 0x1f) << 8) | all[at + 2]!
    pids.add(pid)
    const version = (all[at + 10]! >>> 1) & 31
    if (pid === PMT_PID && versions.at(-1) !== version) versions.push(version)
  }
  assert.deepEqual(versions, [0, 1, 2, 3, 4])
  assert.deepEqual(
    [...pids].sort((a, b) => a - b),
    [0, VIDEO_PID, AUDIO_PID, PMT_PID],
  )
  assert.equal(checkTs(all).continuityErrors, 0)
})

test('what has no place in a transport stream is refused by name', () => {
  const { muxer } = keptMuxer()
  const codecOf = (track: Track): string => muxer.setTrack(track)?.reason.split(':')[0] ?? 'taken'
  assert.equal(codecOf({ ...VIDEO, id: 3, codec: 'av1' }), 'av1')
  assert.equal(codecOf({ ...AUDIO, id: 4, config: new Uint8Array(0) }), 'aac')
  assert.equal(codecOf({ ...AUDIO, id: 5, codec: 'opus', config: new Uint8Array(19).fill(255) }), 'opus')
  assert.equal(codecOf({ ...AUDIO, id: 6, codec: 'ac3', config: new Uint8Array(0) }), 'taken')
})

test('a clock that jumps is told, and its first PCR says so', () => {
  const jumps: number[] = []
  const { muxer, bytes } = keptMuxer({ onJump: (jump90k) => jumps.push(jump90k) })
  for (const base of [0, 3_600_000, 0]) {
    for (let at = 0; at < 5; at++) {
      const key = { isRandomAccess: at === 0 }
      muxer.push(makeFrame(VIDEO, Uint8Array.of(0x65, 0x88, 1), base + at * 3600, key))
      muxer.push(makeFrame(AUDIO, Uint8Array.of(1, 2, 3), base + at * 3600))
    }
  }
  assert.deepEqual(jumps, [3_600_000 - 4 * 3600, -3_600_000 - 4 * 3600])
  assert.equal(muxer.generation, 2)
  const report = checkTs(bytes())
  assert.equal(report.clocks[VIDEO_PID]!.announced, 2)
  assert.equal(report.clocks[VIDEO_PID]!.jumps, 0)
})

test('a presentation time before its decoding time moves the decoding times', () => {
  const { muxer, bytes } = keptMuxer()
  for (const [at, pts] of [0, 3, 1, 2, 6, 4, 5].entries()) {
    muxer.push(makeFrame(VIDEO, Uint8Array.of(0x65, 0x88, 1), pts * 3600, { dts90k: at * 3600 }))
  }
  assertSound(checkTs(bytes()))
})

/** One picture a second of it: what screens send. */
test('PCR and tables keep their intervals when frames are rare', () => {
  const { muxer, bytes } = keptMuxer()
  for (let at = 0; at < 20; at++) muxer.push(makeFrame(VIDEO, Uint8Array.of(0x65, 0x88, 1), at * 90_000))
  assertSound(checkTs(bytes()))
  assert.ok(tableGapMs(bytes()) <= 100)
})

/** The most bytes between two PCRs. */
function mostBetweenPcrs(bytes: Uint8Array): number {
  let [last, most] = [0, 0]
  for (let at = 0; at < bytes.length; at += 188) {
    const hasPcr = (bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 6 && (bytes[at + 5]! & 0x10) !== 0
    if (!hasPcr) continue
    most = Math.max(most, at - last)
    last = at
  }
  return most
}

for (const [name, steps] of [
  ['at 10 pictures a second', [9000]],
  ['at a picture a second', [90_000]],
  ['at changing intervals', [18_000, 900, 9000]],
] as const) {
  test(`PCRs and tables stand within large pictures, ${name}`, () => {
    const { muxer, bytes } = keptMuxer()
    const picture = new Uint8Array(400_000).fill(0x88)
    picture[0] = 0x65
    let time90k = 0
    for (let at = 0; at < 12; at++) {
      muxer.push(makeFrame(VIDEO, picture, time90k))
      time90k += steps[at % steps.length]!
    }
    assert.deepEqual({ ...muxer.counters }, { frames: 12, dropped: 0, late: 0 })
    assertSound(checkTs(bytes()))
    assert.ok(tableGapMs(bytes()) <= 100, `${tableGapMs(bytes())} ms`)
    // The first picture does not know how long it lasts.
    const others = bytes().subarray(2400 * 188)
    if (steps.length === 1) assert.ok(mostBetweenPcrs(others) < 220_000, `${mostBetweenPcrs(others)} bytes`)
  })
}

test('tiny frames with long holes between them do not become many times as much', () => {
  const { muxer, bytes } = keptMuxer()
  for (let at = 0; at < 16_000; at++) muxer.push(makeFrame(VIDEO, Uint8Array.of(0x41, 0x88, 1), at * 9.9 * 90_000))
  assert.ok(bytes().length < 20 * 1024 * 1024, `${bytes().length} bytes`)
})

/** The longest time between two PMTs, by the PCRs around them. */
function tableGapMs(bytes: Uint8Array): number {
  let longest = 0
  let pcr = -1
  let last = -1
  for (let at = 0; at < bytes.length; at += 188) {
    if ((bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 6 && (bytes[at + 5]! & 0x10) !== 0) {
      pcr = (bytes[at + 6]! * 2 ** 25 + (bytes[at + 7]! << 17) + (bytes[at + 8]! << 9) + (bytes[at + 9]! << 1)) / 90
    }
    if (((bytes[at + 1]! & 0x1f) << 8) + bytes[at + 2]! !== PMT_PID) continue
    if (last >= 0 && pcr >= last) longest = Math.max(longest, pcr - last)
    last = pcr
  }
  return longest
}

test('an hour of millisecond stamps: audio stays within 1 ms, and neither we nor ffmpeg find anything wrong', (t) => {
  const checker = new TsChecker()
  const [framer, demuxer] = [new Framer(), new TsDemuxer()]
  let marks = 0
  const folder = mkdtempSync(join(tmpdir(), 'millrace-hour-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = openSync(join(folder, 'hour.ts'), 'w')
  let worst90k = 0
  let spacings = new Set<number>()
  let lastPts = -1
  const consume = (bytes: Uint8Array, length: number): void => {
    checker.push(bytes.slice(0, length))
    for (const chunk of framer.push(bytes.slice(0, length), 0)) {
      for (let at = 0; at < chunk.marks.length; at += MARK_SIZE) marks |= chunk.marks[at + MARK_FLAGS]! & WRONG
      demuxer.push(chunk)
    }
    writeSync(file, bytes, 0, length)
    for (let at = 0; at < length; at += 188) {
      if (((bytes[at + 1]! & 0x5f) << 8) + bytes[at + 2]! !== 0x4000 + AUDIO_PID) continue
      const pes = at + 4 + ((bytes[at + 3]! & 0x20) === 0 ? 0 : 1 + bytes[at + 4]!)
      const stamp = bytes.subarray(pes + 9, pes + 14)
      const pts =
        ((stamp[0]! >> 1) & 7) * 2 ** 30 +
        (stamp[1]! << 22) +
        ((stamp[2]! >> 1) << 15) +
        (stamp[3]! << 7) +
        (stamp[4]! >> 1)
      if (lastPts >= 0) spacings.add(pts - lastPts)
      lastPts = pts
    }
  }
  const { muxer } = keptMuxer({ consume, offset90k: 2 ** 33 - 90_000 * 1800 })
  const built = builtFrames({ gopFrames: 50, bitrate: 50_000 }, 2)
  const pictures = built.filter(({ track }) => track.kind === 'video')
  const silence = built.find(({ track }) => track.kind === 'audio')!.bytes
  const sound: Frame = makeFrame({ ...AUDIO, config: Uint8Array.of(0x12, 0x10) }, silence, 0)
  // In one PMT: ffmpeg takes a wrap of the clock for that of tracks which it knows from the first frame on.
  muxer.setTrack(VIDEO)
  muxer.setTrack(sound.track)
  let audio = 0
  for (let video = 0; video < 3600 * 25; video++) {
    for (; (audio * 1024) / 44_100 < video / 25; audio++) {
      const exact = (audio * 1024 * 90_000) / 44_100
      sound.pts90k = Math.floor(exact / 90) * 90
      sound.dts90k = sound.pts90k
      muxer.push(sound)
      const sent = lastPts - (2 ** 33 - 90_000 * 1800)
      worst90k = Math.max(worst90k, Math.abs((sent < -1 ? sent + 2 ** 33 : sent) - exact))
    }
    const frame = pictures[video % 50]!
    frame.pts90k = video * 3600
    frame.dts90k = frame.pts90k
    muxer.push(frame)
  }
  const report = checker.report()
  assertSound(report)
  assert.ok(worst90k <= 90, `${worst90k / 90} ms`)
  spacings = new Set([...spacings].filter((spacing) => spacing > 0))
  assert.deepEqual(
    [...spacings].sort((a, b) => a - b),
    [2089, 2090],
  )
  closeSync(file)
  for (const chunk of framer.flush(0)) demuxer.push(chunk)
  demuxer.flush()
  const { frames, ...faults } = demuxer.counters
  assert.deepEqual([marks, ...Object.values(faults)], Array(Object.keys(faults).length + 1).fill(0))
  assert.equal(frames, muxer.counters.frames)
  const read = ['-v', 'warning', '-i', join(folder, 'hour.ts'), '-c', 'copy', '-f', 'null', '-']
  const { stderr, status } = spawnSync('ffmpeg', read, { timeout: 60_000 })
  assert.deepEqual([status, String(stderr)], [0, ''])
})

test('a picture whose length fits says it, so that readers know that it is whole', () => {
  const { muxer, parts } = keptMuxer()
  for (const [at, size] of [3, 500, 60_000, 65_400, 65_540, 200_000].entries()) {
    const picture = new Uint8Array(size).fill(0x55)
    picture[0] = 0x65
    picture[1] = 0x88
    parts.length = 0
    muxer.push(makeFrame(VIDEO, picture, at * 3600))
    const bytes = new Uint8Array(Buffer.concat(parts))
    let [length, payload] = [-1, 0]
    for (let from = 0; from < bytes.length; from += 188) {
      if ((((bytes[from + 1]! & 0x1f) << 8) | bytes[from + 2]!) !== VIDEO_PID || (bytes[from + 3]! & 0x10) === 0)
        continue
      const start = from + 4 + ((bytes[from + 3]! & 0x20) === 0 ? 0 : 1 + bytes[from + 4]!)
      if ((bytes[from + 1]! & 0x40) !== 0) length = (bytes[start + 4]! << 8) | bytes[start + 5]!
      payload += from + 188 - start
    }
    assert.equal(length, payload - 6 <= 0xffff ? payload - 6 : 0, `${size} bytes`)
  }
})

test('the last picture of a publisher that goes is there when it returns', () => {
  assertLastPicture(500, 30)
})

test('the last picture is there also when it is too large for a length', () => {
  assertLastPicture(66_000, 2)
  // All remainders of a packet: one of them would fill it, and leave nothing to stuff.
  for (let size = 66_000; size < 66_184; size++) {
    const { muxer, bytes } = keptMuxer()
    const picture = new Uint8Array(size).fill(0x55)
    picture.set([0x65, 0x88])
    muxer.push(makeFrame(VIDEO, picture, 0))
    assert.equal(bytes().at(-185)! & 0x30, 0x30, `${size} bytes`)
  }
})

function assertLastPicture(size: number, perGeneration: number): void {
  const timeline = new Timeline()
  const picture = new Uint8Array(size).fill(0x55)
  let before: Framer | undefined
  let [pictures, nowMs] = [0, 0]
  const count = (chunks: readonly { readonly bytes: Uint8Array }[]): void => {
    for (const { bytes } of chunks) {
      for (let at = 0; at < bytes.length; at += 188) {
        const pid = ((bytes[at + 1]! & 0x5f) << 8) | bytes[at + 2]!
        if (pid === (0x4000 | VIDEO_PID) && (bytes[at + 3]! & 0x10) !== 0) pictures++
      }
    }
  }
  for (let generation = 0; generation < 3; generation++) {
    const { muxer, parts } = keptMuxer()
    const framer: Framer = new Framer({
      generation,
      ...(before === undefined ? {} : { before, firstSeq: before.nextSeq }),
    })
    before = framer
    for (let at = 0; at < perGeneration; at++) {
      picture.set([at % 25 === 0 ? 0x65 : 0x41, 0x88])
      muxer.push(makeFrame(VIDEO, picture, at * 3600, { isRandomAccess: at % 25 === 0 }))
      nowMs += 40
      const bytes = new Uint8Array(Buffer.concat(parts.splice(0)))
      // The last one comes just before the connection ends.
      const chunks = [...framer.push(bytes, nowMs), ...(at < perGeneration - 1 ? framer.flush(nowMs) : [])]
      for (const chunk of chunks) count(timeline.push(chunk))
    }
    count(timeline.endGeneration(framer.finish(nowMs), { timeline: 'elapsed' }))
    assert.deepEqual(
      [pictures, timeline.counters.droppedPackets],
      [perGeneration * (generation + 1), 0],
      `${size} bytes`,
    )
  }
}
