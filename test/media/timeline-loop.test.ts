import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, PTS_WRAP } from '@millrace/engine/testing'
import { Framer, loopLength90k, ProgramTable, StreamClocks } from '@millrace/media/mpegts'
import { maskClocks } from '../e2e/kit/mask-clocks.js'
import { checkTs } from '../oracle/check-ts.js'
import type { TsReport } from '../oracle/check-ts.js'
import { assertSameBytes } from './bytes.js'
import { TimelineHarness } from './timeline-harness.js'
import { allStreams, PACKET } from './streams.js'

const CONTIGUOUS = { timeline: 'contiguous' } as const

test('the first generation passes byte for byte, without discontinuities', () => {
  for (const { name, bytes } of allStreams()) {
    const harness = new TimelineHarness().feed(bytes, { durationMs: 3000 }).end()
    assertSameBytes(harness.bytes(), bytes, name)
    assert.ok(harness.out.every(({ discontinuity, origin }) => discontinuity === false && origin.generation === 0))
    assert.deepEqual(harness.timeline.counters, { droppedPackets: 0, repeatedPackets: 0, junctions: 0, clockJumps: 0 })
  }
})

for (const { name, bytes } of allStreams()) {
  test(`three passes of ${name} are one stream`, () => {
    const harness = new TimelineHarness()
    for (let pass = 0; pass < 3; pass++) {
      if (pass > 0) harness.nextGeneration(CONTIGUOUS)
      harness.feed(bytes, { durationMs: 3000 })
    }
    const out = harness.end().bytes()
    const once = checkTs(bytes)
    const report = checkTs(out)
    assert.equal(harness.timeline.counters.droppedPackets, 0)
    assertSameBytes(maskAll(out.subarray(0, bytes.length)), maskAll(bytes), 'first pass')
    assertSameBytes(maskAll(out.subarray(bytes.length, 2 * bytes.length)), maskAll(bytes), 'second pass')
    assertSameBytes(maskAll(out.subarray(2 * bytes.length)), maskAll(bytes), 'third pass')
    assertClean(report, once, 3)
    assertInStep(out, bytes.length, lengthOf(bytes))
    const seqs = harness.out.map(({ origin }) => origin.seq)
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => index),
    )
    assert.ok(
      harness.out.every(({ discontinuity }) => discontinuity === false),
      'a file that loops continues without a break',
    )
  })
}

test('a thousand loops do not drift', () => {
  for (const plan of [{}, { video: false }, { video: { bFrames: 2 }, pcr: { pid: 0x1f0 } }] as const) {
    const built = buildTs({ durationS: 1, startPts90k: PTS_WRAP - 90_000 * 300, ...plan })
    const length = lengthOf(built.bytes)
    const harness = new TimelineHarness()
    let first = -1
    for (let pass = 0; pass < 1000; pass++) {
      if (pass > 0) harness.nextGeneration(CONTIGUOUS)
      harness.feed(built.bytes, { durationMs: length / 90, piece: 65536 })
      harness.out.splice(0, Math.max(0, harness.out.length - 60))
      if (pass === 0) first = firstPcr(harness.end().bytes())
    }
    const last = new TimelineHarness()
      .feed(harness.end().bytes().slice(-built.bytes.length), { durationMs: 1 })
      .end()
      .bytes()
    assert.equal(firstPcr(last), (first + 999 * length * 300) % (PTS_WRAP * 300), JSON.stringify(plan))
  }
})

test('a clock wrap at the junction causes no jump', () => {
  for (const before of [0, 1, 900, 3600, 18_000, 40_000]) {
    const built = buildTs({ durationS: 2, startPts90k: PTS_WRAP - 180_000 + before, video: { bFrames: 2 } })
    const harness = new TimelineHarness().feed(built.bytes, { durationMs: 2000 }).nextGeneration(CONTIGUOUS)
    const report = checkTs(harness.feed(built.bytes, { durationMs: 2000 }).end().bytes())
    assertClean(report, checkTs(built.bytes), 2)
  }
})

test('a file cut at any position loops without a step back', () => {
  const built = buildTs({ durationS: 2, video: { bFrames: 2, boundedPes: true } })
  for (const from of [0, 70, 500 * PACKET + 100, 333 * PACKET]) {
    for (const until of [built.bytes.length - 60, built.bytes.length - 30 * PACKET, 700 * PACKET + 7]) {
      const cut = built.bytes.subarray(from, until)
      const harness = new TimelineHarness()
      for (let pass = 0; pass < 4; pass++) harness.feed(cut, { durationMs: 1500 }).nextGeneration(CONTIGUOUS)
      const report = checkTs(harness.bytes())
      assert.equal(report.continuityErrors, 0)
      for (const units of Object.values(report.units)) assert.equal(units.dtsNotIncreasing, 0)
      for (const clock of Object.values(report.clocks)) assert.equal(clock.jumps, 0)
      assert.ok(harness.timeline.counters.droppedPackets > 0)
      assert.equal(harness.timeline.counters.junctions, 3)
      assertSteps(harness, lengthOf(cut))
    }
  }
})

test('a track with few units does not lengthen the loop', () => {
  const built = buildTs({ durationS: 4, data: [{ kind: 'private', intervalMs: 2900 }] })
  assert.ok(Math.abs(lengthOf(built.bytes) / 90 - 4000) < 45, `${lengthOf(built.bytes) / 90} ms`)
})

/** Masks clocks, counters, and the announcement of a long PCR step. */
function maskAll(bytes: Uint8Array): Uint8Array {
  const masked = maskClocks(bytes)
  for (let at = 0; at < masked.length; at += PACKET) {
    const hasFlags = ((masked[at + 3] ?? 0) & 0x20) !== 0 && (masked[at + 4] ?? 0) > 0
    if (hasFlags && ((masked[at + 5] ?? 0) & 0x10) !== 0) masked[at + 5] = (masked[at + 5] ?? 0) & 0x7f
  }
  return masked
}

function assertClean(report: TsReport, once: TsReport, passes: number): void {
  assert.equal(report.continuityErrors, 0)
  assert.equal(report.crcErrors, 0)
  assert.equal(report.syncErrors, 0)
  for (const [pid, units] of Object.entries(report.units)) {
    const before = once.units[Number(pid)]
    assert.equal(units.dtsNotIncreasing, 0, `DTS of ${pid}`)
    assert.equal(units.wrongLength, 0)
    assert.equal(units.beforeUnitStart, passes * (before?.beforeUnitStart ?? 0))
    assert.equal(units.units, passes * (before?.units ?? 0))
  }
  for (const [pid, clock] of Object.entries(report.clocks)) {
    assert.equal(clock.jumps, passes * (once.clocks[Number(pid)]?.jumps ?? 0), `PCR of ${pid}`)
  }
  for (const table of Object.values(report.tables)) assert.equal(table.versions.length, 1)
}

/** Every clock of the second and third pass is that of the first, shifted by the length of the loop. */
function assertInStep(out: Uint8Array, size: number, length90k: number): void {
  const passes = [0, 1, 2].map((pass) => checkTs(out.subarray(pass * size, (pass + 1) * size)))
  for (const [pass, report] of passes.entries()) {
    const moved = pass * length90k
    for (const [pid, clock] of Object.entries(passes[0]?.clocks ?? {})) {
      const expected = (clock.first27m + moved * 300) % (PTS_WRAP * 300)
      assert.equal(report.clocks[Number(pid)]?.first27m, expected, `PCR of ${pid}, pass ${pass}`)
    }
    for (const [pid, { firstDts90k, firstPts90k }] of Object.entries(passes[0]?.units ?? {})) {
      const units = report.units[Number(pid)]
      if (firstDts90k === undefined || firstPts90k === undefined) continue
      assert.equal(units?.firstDts90k, (firstDts90k + moved) % PTS_WRAP, `DTS of ${pid}, pass ${pass}`)
      assert.equal(units?.firstPts90k, (firstPts90k + moved) % PTS_WRAP, `PTS of ${pid}, pass ${pass}`)
    }
  }
}

/** What is dropped depends on where chunks are cut; the length of a pass must not. */
function assertSteps(harness: TimelineHarness, length90k: number): void {
  const whole = harness.bytes()
  const passes = [1, 2, 3].map((pass) => checkTs(whole.subarray(harness.starts[pass], harness.starts[pass + 1])))
  for (const [index, { units }] of passes.entries()) {
    for (const [pid, { firstDts90k = 0 }] of Object.entries(passes[0]?.units ?? {})) {
      assert.equal(units[Number(pid)]?.firstDts90k, (firstDts90k + index * length90k) % PTS_WRAP)
    }
  }
}

function lengthOf(bytes: Uint8Array): number {
  const framer = new Framer()
  const table = new ProgramTable()
  const clocks = new StreamClocks()
  for (const chunk of [...framer.push(bytes, 0), ...framer.finish(0)]) {
    table.follow(chunk)
    clocks.follow(chunk, table.isSectionPid)
  }
  return loopLength90k(clocks)
}

function firstPcr(bytes: Uint8Array): number {
  return Object.values(checkTs(bytes).clocks)[0]?.first27m ?? -1
}
