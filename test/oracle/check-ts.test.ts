import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  breakCrc,
  breakSyncByte,
  buildTs,
  cutMidPacket,
  dropPackets,
  duplicatePackets,
  joinTs,
  junkBetween,
  PTS_WRAP,
  renumberCounter,
  scramble,
  setTei,
} from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { checkTs, TsChecker } from './check-ts.js'
import type { TsReport } from './check-ts.js'

const CLIP = new URL('../../../pipelines/media/testcard.ts', import.meta.url)
const FIXTURES = new URL('../../fixtures/', import.meta.url)

const clips: readonly { name: string; url: URL; keyPicture: boolean | undefined }[] = [
  { name: 'testcard.ts', url: CLIP, keyPicture: true },
  { name: 'h264-open-gop.ts', url: new URL('h264-open-gop.ts', FIXTURES), keyPicture: true },
  { name: 'h265-aac.ts', url: new URL('h265-aac.ts', FIXTURES), keyPicture: true },
  { name: 'mpeg2-mp2.ts', url: new URL('mpeg2-mp2.ts', FIXTURES), keyPicture: true },
  { name: 'aac.ts', url: new URL('aac.ts', FIXTURES), keyPicture: undefined },
]

for (const { name, url, keyPicture } of clips) {
  test(`${name} is clean and begins with everything a viewer needs`, () => {
    const report = checkTs(readFileSync(url))
    assertNoErrors(report)
    assert.equal(report.psiBeforeFirstUnit, true)
    assert.equal(report.firstVideoUnit?.keyPicture, keyPicture)
  })
}

const plans: readonly { name: string; plan: TsPlan }[] = [
  { name: 'H.264', plan: { video: { bFrames: 2 } } },
  { name: 'open GOPs', plan: { video: { bFrames: 2, gopFrames: 12, keyPicture: 'recoveryPoint' } } },
  { name: 'H.265', plan: { video: { codec: 'h265', bFrames: 2 } } },
  { name: 'MPEG-2', plan: { video: { codec: 'mpeg2', bFrames: 2 }, audio: { codec: 'mp2' } } },
  { name: 'audio only', plan: { video: false } },
  { name: 'bounded units', plan: { video: { boundedPes: true }, interleave: false } },
  { name: 'a wrap', plan: { startPts90k: PTS_WRAP - 180_000, video: { bFrames: 2 } } },
  { name: 'a PCR PID and a PMT over two packets', plan: { pcr: { pid: 0x1f0 }, pmtPackets: 2, psi: { gapMs: 7 } } },
  { name: 'PCRs in packets without payload on the video PID', plan: { pcr: { carrier: 'packets' } } },
  { name: 'a constant rate', plan: { muxRate: 2_000_000, data: [{ kind: 'scte35' }, { kind: 'private' }] } },
  { name: 'two programs', plan: { programs: [{}, { video: { codec: 'mpeg2', fps: 30000 / 1001 } }], nullEvery: 9 } },
]

for (const { name, plan } of plans) {
  test(`a built stream with ${name} is clean and contains everything that was put in`, () => {
    const built = buildTs(plan)
    const report = checkTs(built.bytes)
    assertNoErrors(report)
    assert.equal(report.packets, built.packets)
    assert.equal(report.nullPackets, built.nullPackets)
    assert.equal(report.startsWithPat, true)
    assert.equal(report.psiBeforeFirstUnit, true)
    for (const { pid } of built.tracks) {
      const units = built.units.filter((unit) => unit.pid === pid)
      assert.equal(report.units[pid]?.units, units.length === 0 ? undefined : units.length)
      assert.equal(report.units[pid]?.firstPts90k, units[0]?.pts90k)
      assert.equal(report.units[pid]?.firstDts90k, units[0]?.dts90k)
    }
    for (const [pid, clock] of Object.entries(report.clocks)) {
      const pcrs = built.pcrs.filter((pcr) => pcr.pid === Number(pid))
      assert.deepEqual([clock.count, clock.first27m], [pcrs.length, pcrs[0]?.pcr27m])
      assert.equal(clock.last27m, pcrs.at(-1)?.pcr27m)
    }
    for (const [pid, table] of Object.entries(report.tables)) {
      assert.equal(table.sections, built.sections.filter((section) => section.pid === Number(pid)).length)
    }
  })
}

test('timestamps keep increasing across a wrap', () => {
  const report = checkTs(buildTs({ startPts90k: PTS_WRAP - 180_000 }).bytes)
  assert.equal(report.units[0x100]?.lastPts90k, PTS_WRAP + 180_000 - 3600)
})

test('the report shows a first picture at which no decoder can start', () => {
  const report = checkTs(buildTs({ video: { keyPicture: 'none' } }).bytes)
  assert.deepEqual(report.firstVideoUnit, { pid: 0x100, randomAccessIndicator: false, keyPicture: false })
})

test('a stream that begins with units is reported to have its PSI too late', () => {
  const report = checkTs(buildTs({ psi: { phaseMs: 130, beforeKeyframes: false } }).bytes)
  assert.equal(report.startsWithPat, false)
  assert.equal(report.psiBeforeFirstUnit, false)
})

test('a new table version is reported once, with its tracks', () => {
  const first = buildTs({ durationS: 1 })
  const next = { startPts90k: first.endPts90k, startCounters: first.nextCounters }
  const second = buildTs({ durationS: 1, ...next, pmtVersion: 1, audio: [{}, { language: 'eng' }] })
  const report = checkTs(joinTs(first, second).bytes)
  assertNoErrors(report)
  assert.deepEqual(report.tables[0x1000]?.versions, [0, 1])
  assert.equal(report.streams.length, 3)
})

test('a jump of clock and counters at a join is counted on each PID', () => {
  const report = checkTs(joinTs(buildTs({}), buildTs({ startPts90k: 90_000, startCounters: { 0x100: 7 } })).bytes)
  assert.equal(report.clocks[0x100]?.jumps, 1)
  assert.equal(report.units[0x100]?.dtsNotIncreasing, 1)
  assert.equal(report.units[0x101]?.dtsNotIncreasing, 1)
  assert.ok((report.continuityErrorsByPid[0x100] ?? 0) === 1)
})

const video = { pid: 0x100, max: 12 }
const { bytes: good } = buildTs({ durationS: 8 })

const faults: readonly {
  name: string
  damage: { bytes: Uint8Array; count: number }
  read: (report: TsReport) => number
}[] = [
  { name: 'lost packets', damage: dropPackets(good, video), read: (report) => report.continuityErrors },
  { name: 'legal duplicates', damage: duplicatePackets(good, video), read: (report) => report.duplicates },
  {
    name: 'packets sent three times',
    damage: duplicatePackets(good, { ...video, copies: 2 }),
    read: (report) => report.continuityErrors,
  },
  { name: 'renumbered counters', damage: renumberCounter(good, video), read: (report) => report.continuityErrors },
  { name: 'junk', damage: junkBetween(good, video), read: (report) => report.syncErrors },
  { name: 'truncated packets', damage: cutMidPacket(good, video), read: (report) => report.syncErrors },
  { name: 'wrong sync bytes', damage: breakSyncByte(good, video), read: (report) => report.syncErrors },
  { name: 'transport errors', damage: setTei(good, video), read: (report) => report.transportErrors },
  { name: 'scrambled packets', damage: scramble(good, video), read: (report) => report.scrambled },
  { name: 'broken sections', damage: breakCrc(good), read: (report) => report.crcErrors },
]

for (const { name, damage, read } of faults) {
  test(`${name} are counted exactly`, () => {
    assert.ok(damage.count >= 10)
    assert.equal(read(checkTs(damage.bytes)), damage.count)
  })
}

test('a legal duplicate is not a continuity error, and its unit is not counted twice', () => {
  const report = checkTs(duplicatePackets(good, { pid: 0x101, every: 1, skip: 0 }).bytes)
  assert.equal(report.continuityErrors, 0)
  assert.equal(report.units[0x101]?.units, checkTs(good).units[0x101]?.units)
})

test('a lost packet in a unit of known length is reported as a wrong length', () => {
  const { bytes } = buildTs({ interleave: false, audio: { framesPerPes: 8 } })
  const lost = dropPackets(bytes, { pid: 0x101, every: 1, skip: 20, max: 1 })
  assert.equal(checkTs(lost.bytes).units[0x101]?.wrongLength, 1)
})

test('a skip announced on each PID is a splice, not an error', () => {
  const built = buildTs({ interleave: false })
  const [from = 0, to = 0] = [built.keyframes[1], built.keyframes[3]]
  const splice = [0, 0x100, 0x101, 0x1000].map((pid) => announce(pid, nextCounter(built.bytes, pid, to)))
  const parts = [built.bytes.subarray(0, from), ...splice, built.bytes.subarray(to)]
  const report = checkTs(Buffer.concat(parts))
  assertNoErrors(report)
  assert.equal(report.spliceCount, 4)
  assert.deepEqual(report.splices[0], { packet: from / 188, pid: 0 })
  assert.equal(report.clocks[0x100]?.announced, 1)
  assert.ok((report.units[0x100]?.maxSplicedDtsStepMs ?? 0) > 1900)
  assert.equal(report.units[0x100]?.maxDtsStepMs, 40)
})

test('pieces of any size give the same report as the whole', () => {
  const damaged = junkBetween(breakSyncByte(good, video).bytes, { every: 333, size: 77 }).bytes
  const whole = checkTs(damaged)
  for (const size of [1, 100, 187, 189, 4096]) {
    const checker = new TsChecker()
    for (let at = 0; at < damaged.length; at += size) checker.push(damaged.subarray(at, at + size))
    checker.end()
    assert.deepEqual(checker.report(), whole)
  }
})

test('an empty stream, junk and half a packet are reported as such', () => {
  assert.equal(checkTs(new Uint8Array(0)).packets, 0)
  assert.equal(checkTs(new Uint8Array(1000)).packets, 0)
  assert.equal(checkTs(good.subarray(0, 188 + 100)).leftoverBytes, 100)
})

function assertNoErrors(report: TsReport): void {
  const { syncErrors, continuityErrors, transportErrors, scrambled, crcErrors, leftoverBytes } = report
  const errors = { syncErrors, continuityErrors, transportErrors, scrambled, crcErrors, leftoverBytes }
  assert.deepEqual(Object.values(errors), [0, 0, 0, 0, 0, 0], JSON.stringify(errors))
  for (const units of Object.values(report.units)) {
    const { dtsNotIncreasing, wrongLength, cut, beforeUnitStart, noStartCode } = units
    assert.deepEqual([dtsNotIncreasing, wrongLength, cut, beforeUnitStart, noStartCode], [0, 0, 0, 0, 0])
  }
  // Without video, ffmpeg writes a PCR with each audio unit only: 235 ms apart.
  const hasVideo = report.firstVideoUnit !== undefined
  for (const clock of Object.values(report.clocks)) if (hasVideo) assert.equal(clock.jumps, 0)
}

/** A packet without payload, with discontinuity_indicator. */
function announce(pid: number, counterAfter: number): Uint8Array {
  const packet = new Uint8Array(188).fill(0xff)
  packet.set([0x47, pid >> 8, pid & 0xff, 0x20 | ((counterAfter + 15) & 15), 183, 0x80])
  return packet
}

function nextCounter(bytes: Uint8Array, pid: number, from: number): number {
  for (let at = from; at < bytes.length; at += 188) {
    if ((((bytes[at + 1] ?? 0) & 0x1f) << 8) + (bytes[at + 2] ?? 0) === pid) return (bytes[at + 3] ?? 0) & 15
  }
  return 0
}
