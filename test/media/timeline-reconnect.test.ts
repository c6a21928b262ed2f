import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, joinTs, PTS_WRAP } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { checkTs } from '../oracle/check-ts.js'
import type { TsReport } from '../oracle/check-ts.js'
import { signedDifference } from '../oracle/clock.js'
import { TimelineHarness } from './timeline-harness.js'
import { builtStreams, clips, PACKET } from './streams.js'

const ELAPSED = { timeline: 'elapsed' } as const
/** A frame of the slowest stream here, plus the interval of pushes. */
const FRAME_MS = 40 + 12
const VIDEO = 0x100
const AUDIO = 0x101

const reconnects: readonly { name: string; first: TsPlan; second: TsPlan; gapMs: number }[] = [
  { name: 'at once, from the start', first: {}, second: {}, gapMs: 0 },
  { name: 'after 5 s, from the start', first: {}, second: {}, gapMs: 5000 },
  { name: 'after a minute, different start and counters', first: {}, second: other(2_000_000_000), gapMs: 60_000 },
  {
    name: 'after 0.7 s, the clock goes back',
    first: { startPts90k: 3_000_000_000 },
    second: other(90_000),
    gapMs: 700,
  },
  { name: 'over the wrap', first: { startPts90k: PTS_WRAP - 140_000 }, second: other(4_000_000_000), gapMs: 1500 },
  { name: 'the source is near its wrap', first: {}, second: other(PTS_WRAP - 40_000), gapMs: 1500 },
  {
    name: 'a PID for the PCR',
    first: { pcr: { pid: 0x1f0 } },
    second: { ...other(5_000_000), pcr: { pid: 0x1f0 } },
    gapMs: 900,
  },
  { name: 'audio only', first: { video: false }, second: { ...other(77_000_000), video: false }, gapMs: 2000 },
  { name: 'bounded video', first: bounded(900_000), second: { ...bounded(50_000_000), ...counters() }, gapMs: 2000 },
  {
    name: 'a PMT over two packets',
    first: split(900_000),
    second: { ...split(50_000_000), ...counters() },
    gapMs: 2000,
  },
  {
    name: 'two programs',
    first: twoPrograms(900_000),
    second: { ...twoPrograms(50_000_000), ...counters() },
    gapMs: 2000,
  },
]

for (const { name, first, second, gapMs } of reconnects) {
  test(`a reconnect leaves one continuous stream: ${name}`, () => {
    // The first stream breaks off in mid-packet and mid-PES; the second begins in mid-packet, before its first tables
    // end.
    for (const [cutFirst, cutSecond] of [
      [100, 0],
      [3 * PACKET + 7, 50],
      [30 * PACKET, 41 * PACKET + 3],
    ] as const) {
      const before = buildTs({ durationS: 3, ...first }).bytes
      const after = buildTs({ durationS: 3, ...second }).bytes
      const harness = new TimelineHarness().feed(before.subarray(0, before.length - cutFirst), { durationMs: 3000 })
      harness.nextGeneration(ELAPSED, gapMs).feed(after.subarray(cutSecond), { durationMs: 3000 }).end()
      const report = checkTs(harness.bytes())
      assertClean(report)
      assert.deepEqual(harness.timeline.counters.junctions, 1)
      assertGap(harness, gapMs)
      assertSameOffset(after.subarray(cutSecond), harness.bytes().subarray(harness.starts[1]))
    }
  })
}

test("ffmpeg's clips are one continuous stream across reconnects", () => {
  for (const { name, bytes } of clips()) {
    const once = checkTs(bytes)
    const harness = new TimelineHarness().feed(bytes.subarray(0, bytes.length - 70), { durationMs: 4000 })
    for (const gapMs of [30, 800, 3000]) {
      harness.nextGeneration(ELAPSED, gapMs).feed(bytes.subarray(Math.floor(bytes.length / 3)), { durationMs: 3000 })
      assertGap(harness, gapMs)
    }
    const report = checkTs(harness.end().bytes())
    assert.equal(report.continuityErrors, 0, name)
    for (const units of Object.values(report.units)) assert.equal(units.dtsNotIncreasing, 0, name)
    for (const [pid, clock] of Object.entries(report.clocks)) {
      if ((once.clocks[Number(pid)]?.jumps ?? 0) === 0) assert.equal(clock.jumps, 0, name)
    }
  }
})

test('packets dropped at a junction are counted', () => {
  const { bytes } = buildTs({ durationS: 2 })
  const from = 300 * PACKET + 20
  const harness = new TimelineHarness().feed(bytes.subarray(0, bytes.length - 400), { durationMs: 2000 })
  harness.nextGeneration(ELAPSED, 100).feed(bytes.subarray(from), { durationMs: 2000 }).end()
  const packets = Math.floor((bytes.length - 400) / PACKET) + Math.floor((bytes.length - from) / PACKET)
  const { droppedPackets } = harness.timeline.counters
  assert.ok(droppedPackets > 0)
  assert.equal(harness.bytes().length / PACKET, packets - droppedPackets)
})

test('a generation without clock or tables, or of only a few packets, does no harm', () => {
  const { bytes } = buildTs({ durationS: 2 })
  const harness = new TimelineHarness().feed(bytes, { durationMs: 2000 })
  for (const rubbish of [new Uint8Array(0), new Uint8Array(5000).fill(1), bytes.subarray(40 * PACKET, 47 * PACKET)]) {
    harness.nextGeneration(ELAPSED, 500).feed(rubbish, { durationMs: 100 })
  }
  harness.nextGeneration(ELAPSED, 500).feed(bytes, { durationMs: 2000 }).end()
  assertClean(checkTs(harness.bytes()))
})

test('the start of a generation stays marked when its first packets are dropped', () => {
  const { bytes } = buildTs({ durationS: 2 })
  for (const from of [30, 31, 32, 33, 34, 35, 36]) {
    const harness = new TimelineHarness().feed(bytes, { durationMs: 2000 })
    harness
      .nextGeneration(ELAPSED, 500)
      .feed(bytes.subarray(from * PACKET), { durationMs: 2000, piece: PACKET })
      .end()
    const marked = harness.out.filter(({ discontinuity }) => discontinuity !== false)
    assert.deepEqual(
      marked.map(({ origin, discontinuity }) => [origin.generation, discontinuity]),
      [[1, 'source']],
    )
    assert.equal(
      marked[0],
      harness.out.find(({ origin }) => origin.generation === 1),
    )
  }
})

test('changed tracks are marked, and their PMT gets the next version with the right CRC', () => {
  for (const pmtPackets of [1, 2]) {
    for (const second of [
      { audio: [{}, { language: 'eng' }] },
      { video: { codec: 'h265' } },
      { audio: false },
      { pcr: { pid: 0x1f0 } },
    ] as const) {
      const harness = new TimelineHarness().feed(buildTs({ durationS: 2, pmtPackets }).bytes, { durationMs: 2000 })
      harness
        .nextGeneration(ELAPSED, 500)
        .feed(buildTs({ durationS: 2, pmtPackets, ...second }).bytes, { durationMs: 2000 })
      harness
        .nextGeneration(ELAPSED, 500)
        .feed(buildTs({ durationS: 2, pmtPackets, ...second }).bytes, { durationMs: 2000 })
      const report = checkTs(harness.end().bytes())
      assertClean(report)
      assert.deepEqual(report.tables[0x1000]?.versions, [0, 1], JSON.stringify(second))
      assert.deepEqual(report.tables[0]?.versions, [0])
      if ('pcr' in second) continue
      const marked = harness.out.filter(({ discontinuity }) => discontinuity === 'marked')
      assert.deepEqual(
        marked.map(({ origin }) => origin.generation),
        [1],
      )
    }
  }
})

test('a changed table that comes when the junction is over gets the next version too', () => {
  for (const { name, late } of [
    { name: 'after more than may be waited', late: { intervalMs: 700, phaseMs: 1300, beforeKeyframes: false } },
    { name: 'over several packets', late: { intervalMs: 700, phaseMs: 1300, beforeKeyframes: false, gapMs: 60 } },
  ]) {
    const harness = new TimelineHarness().feed(buildTs({ durationS: 2 }).bytes, { durationMs: 2000 })
    for (const language of ['eng', 'eng', 'deu']) {
      const plan = { durationS: 3, audio: { language }, psi: late, pmtPackets: 'gapMs' in late ? 2 : 1 }
      harness.nextGeneration(ELAPSED, 500).feed(buildTs(plan).bytes, { durationMs: 3000 })
    }
    const report = checkTs(harness.end().bytes())
    assert.deepEqual([report.continuityErrors, report.crcErrors], [0, 0], name)
    assert.deepEqual(report.tables[0x1000]?.versions, [0, 1, 2], name)
  }
})

test('changed parameter sets are marked, and the tables stay unchanged', () => {
  const harness = new TimelineHarness().feed(buildTs({ durationS: 2 }).bytes, { durationMs: 2000 })
  for (const width of [64, 128, 128]) {
    harness.nextGeneration(ELAPSED, 100).feed(buildTs({ durationS: 2, video: { width } }).bytes, { durationMs: 2000 })
  }
  const report = checkTs(harness.end().bytes())
  assert.deepEqual(report.tables[0x1000]?.versions, [0])
  const marked = harness.out.filter(({ discontinuity }) => discontinuity === 'marked')
  assert.deepEqual(
    marked.map(({ origin }) => origin.generation),
    [2],
  )
})

test('a change inside a generation is marked too, and keeps its version in the first', () => {
  const one = buildTs({ durationS: 2 })
  const next = { startPts90k: one.endPts90k, startCounters: one.nextCounters }
  const two = buildTs({ durationS: 2, ...next, pmtVersion: 1, audio: [{}, { language: 'eng' }] })
  const harness = new TimelineHarness().feed(joinTs(one, two).bytes, { durationMs: 4000 }).end()
  assert.deepEqual(checkTs(harness.bytes()).tables[0x1000]?.versions, [0, 1])
  assert.equal(harness.out.filter(({ discontinuity }) => discontinuity === 'marked').length, 1)
})

test('versions keep increasing across several changes, whatever versions the source has', () => {
  const harness = new TimelineHarness().feed(buildTs({ durationS: 1, pmtVersion: 31 }).bytes, { durationMs: 1000 })
  const audio = [{ language: 'deu' }, { language: 'eng' }]
  for (const [index, pmtVersion] of [31, 7, 7, 0].entries()) {
    const tracks = index % 2 === 0 ? audio : audio.slice(0, 1)
    harness
      .nextGeneration(ELAPSED, 100)
      .feed(buildTs({ durationS: 1, pmtVersion, audio: tracks }).bytes, { durationMs: 1000 })
  }
  const report = checkTs(harness.end().bytes())
  assertClean(report)
  assert.deepEqual(report.tables[0x1000]?.versions, [31, 0, 1, 2, 3])
})

test('the tables of a source that returns after another one with the same versions take effect again', () => {
  const one = buildTs({ durationS: 1 })
  const two = buildTs({ durationS: 1, pmtPid: 0x1100, video: { pid: 0x200 }, audio: { pid: 0x201 } })
  const harness = new TimelineHarness().feed(one.bytes, { durationMs: 1000 })
  for (const { bytes } of [two, one, two]) harness.nextGeneration(ELAPSED, 100).feed(bytes, { durationMs: 1000 })
  const report = checkTs(harness.end().bytes())
  assertClean(report)
  assert.deepEqual(report.tables[0]?.versions, [0, 1, 2, 3])
  const marked = harness.out.filter(({ discontinuity }) => discontinuity === 'marked')
  assert.deepEqual(
    marked.map(({ origin }) => origin.generation),
    [1, 2, 3],
  )
})

test('the built streams follow one another without errors', () => {
  const streams = builtStreams()
  const harness = new TimelineHarness()
  for (const [index, { bytes }] of streams.entries()) {
    if (index > 0) harness.nextGeneration(ELAPSED, 200)
    harness.feed(bytes, { durationMs: 3000 })
  }
  const report = checkTs(harness.end().bytes())
  assert.equal(report.continuityErrors, 0)
  assert.equal(report.crcErrors, 0)
  for (const [pid, units] of Object.entries(report.units)) assert.equal(units.dtsNotIncreasing, 0, pid)
})

function other(startPts90k: number): TsPlan {
  return { startPts90k, ...counters() }
}

function counters(): TsPlan {
  return { startCounters: { 0: 3, 0x1000: 9, [VIDEO]: 5, [AUDIO]: 15, 0x120: 2, 0x1f0: 7 } }
}

function bounded(startPts90k: number): TsPlan {
  return { startPts90k, video: { boundedPes: true, bFrames: 2 } }
}

function split(startPts90k: number): TsPlan {
  return { startPts90k, pmtPackets: 2, psi: { gapMs: 7 } }
}

function twoPrograms(startPts90k: number): TsPlan {
  return { startPts90k, programs: [{}, { video: { codec: 'mpeg2' } }] }
}

function assertClean(report: TsReport): void {
  assert.equal(report.continuityErrors, 0)
  assert.equal(report.crcErrors, 0)
  assert.equal(report.syncErrors, 0)
  for (const [pid, units] of Object.entries(report.units)) assert.equal(units.dtsNotIncreasing, 0, `DTS of ${pid}`)
  for (const [pid, clock] of Object.entries(report.clocks)) assert.equal(clock.jumps, 0, `PCR of ${pid}`)
}

/** The clocks advance by the time that passed, within a frame. */
function assertGap(harness: TimelineHarness, gapMs: number): void {
  const start = harness.starts.at(-1) ?? 0
  const whole = harness.bytes()
  const before = checkTs(whole.subarray(0, start))
  const after = checkTs(whole.subarray(start))
  for (const [pid, clock] of Object.entries(after.clocks)) {
    const last = before.clocks[Number(pid)]?.last27m
    if (last === undefined) continue
    const stepMs = signedDifference(clock.first27m, last, PTS_WRAP * 300) / 27_000
    assert.ok(stepMs > 0 && stepMs < gapMs + 400, `PCR of ${pid} continues ${stepMs} ms later, after ${gapMs} ms`)
    assert.ok(stepMs > gapMs - FRAME_MS, `PCR of ${pid} continues ${stepMs} ms later, after ${gapMs} ms`)
  }
}

/** PTS of all tracks and PCR are shifted by the same amount. */
function assertSameOffset(source: Uint8Array, sent: Uint8Array): void {
  const [before, after] = [checkTs(source), checkTs(sent)]
  const moves = new Set<number>()
  for (const [pid, { lastPts90k }] of Object.entries(before.units)) {
    const moved = (after.units[Number(pid)]?.lastPts90k ?? 0) - lastPts90k
    moves.add(((moved % PTS_WRAP) + PTS_WRAP) % PTS_WRAP)
  }
  for (const [pid, { last27m }] of Object.entries(before.clocks)) {
    const moved = ((after.clocks[Number(pid)]?.last27m ?? 0) - last27m) / 300
    moves.add(((moved % PTS_WRAP) + PTS_WRAP) % PTS_WRAP)
  }
  assert.equal(moves.size, 1, [...moves].join(', '))
}
