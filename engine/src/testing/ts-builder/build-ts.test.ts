import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from './build-ts.js'
import { joinTs } from './join-ts.js'
import { PTS_WRAP } from './pes.js'
import type { BuiltTs, TsPlan } from './ts-plan.js'
import { withStride } from './with-stride.js'

const plans: readonly { name: string; plan: TsPlan }[] = [
  { name: 'the default', plan: {} },
  { name: 'B pictures', plan: { video: { bFrames: 2 } } },
  { name: 'open GOPs', plan: { video: { bFrames: 2, gopFrames: 12, keyPicture: 'recoveryPoint' } } },
  { name: 'H.265', plan: { video: { codec: 'h265', bFrames: 2 } } },
  { name: 'MPEG-2 and layer II', plan: { video: { codec: 'mpeg2' }, audio: { codec: 'mp2', language: 'deu' } } },
  { name: 'audio only', plan: { video: false } },
  { name: 'PSI away from key pictures', plan: { psi: { intervalMs: 500, phaseMs: 130, beforeKeyframes: false } } },
  { name: 'a PMT over two packets', plan: { pmtPackets: 2, psi: { gapMs: 7 } } },
  { name: 'a PID for the PCR', plan: { pcr: { pid: 0x1f0 } } },
  { name: 'GOPs shorter than the PSI interval', plan: { video: { gopFrames: 5 }, psi: { intervalMs: 500 } } },
  { name: 'a wrap in the middle', plan: { startPts90k: PTS_WRAP - 180_000, video: { bFrames: 2 } } },
  { name: 'null packets', plan: { nullEvery: 7 } },
  { name: 'a constant rate', plan: { muxRate: 2_000_000 } },
  { name: 'two programs', plan: { programs: [{}, { video: { codec: 'mpeg2' } }] } },
  { name: 'data and tables', plan: { data: [{ kind: 'scte35' }, { kind: 'private' }], psi: { sdt: true, cat: true } } },
]

for (const { name, plan } of plans) {
  test(`a stream with ${name} matches its description`, () => {
    const built = buildTs(plan)
    assert.equal(built.bytes.length, built.packets * 188)
    for (let offset = 0; offset < built.bytes.length; offset += 188) assert.equal(built.bytes[offset], 0x47)
    for (const unit of built.units) assert.ok(startsUnit(built, unit.offset, unit.pid), `unit at ${unit.offset}`)
    for (const section of built.sections) assert.ok(startsUnit(built, section.offset, section.pid))
    for (const pcr of built.pcrs) assert.equal(byteAt(built, pcr.offset + 5) & 0x10, 0x10)
    for (const offset of built.keyframes)
      assert.ok(built.units.some((unit) => unit.offset === offset && unit.randomAccess))
  })
}

test('equal plans give equal bytes', () => {
  const plan: TsPlan = { video: { bFrames: 2 }, data: [{ kind: 'scte35' }], muxRate: 1_500_000 }
  assert.deepEqual(buildTs(plan).bytes, buildTs(plan).bytes)
})

test('packets of audio and video units alternate, unless the plan says otherwise', () => {
  assert.ok(countOpenAcross(buildTs({})) > 20)
  assert.equal(countOpenAcross(buildTs({ interleave: false })), 0)
})

test('a PMT with a gap between its two packets has other packets there', () => {
  const built = buildTs({ pmtPackets: 2, psi: { gapMs: 15 } })
  const maps = built.sections.filter((section) => section.tableId === 2)
  assert.ok(maps.some((section) => section.lastOffset - section.offset > 188))
})

test('a wrap in the middle takes PTS from the end of the 33-bit range to its start', () => {
  const built = buildTs({ startPts90k: PTS_WRAP - 180_000, durationS: 4 })
  const video = built.units.filter((unit) => unit.pid === 0x100)
  assert.equal(video[0]?.pts90k, PTS_WRAP - 180_000)
  assert.equal(video.at(-1)?.pts90k, 180_000 - 3600)
  assert.equal(built.endPts90k, 180_000)
})

test('a stream that starts with the counters and the end time of another continues it', () => {
  const first = buildTs({ durationS: 1 })
  const next = { startPts90k: first.endPts90k, startCounters: first.nextCounters }
  const second = buildTs({ durationS: 1, ...next, pmtVersion: 1, audio: [{}, { language: 'eng' }] })
  const whole = joinTs(first, second)
  assert.equal(whole.packets, first.packets + second.packets)
  const versions = whole.sections.filter((section) => section.tableId === 2).map((section) => section.version)
  assert.deepEqual([...new Set(versions)], [0, 1])
  assert.equal(byteAt(whole, first.bytes.length + 3) & 15, first.nextCounters[0])
})

test('strides of 192 and 204 bytes hold the same packets', () => {
  const { bytes } = buildTs({ durationS: 1 })
  for (const { stride, lead } of [
    { stride: 192, lead: 4 },
    { stride: 204, lead: 0 },
  ] as const) {
    const strided = withStride(bytes, stride)
    assert.equal(strided.length, (bytes.length / 188) * stride)
    assert.deepEqual(strided.subarray(stride + lead, stride + lead + 188), bytes.subarray(188, 376))
  }
})

function byteAt(built: BuiltTs, offset: number): number {
  return built.bytes[offset] ?? 0
}

function startsUnit(built: BuiltTs, offset: number, pid: number): boolean {
  const found = ((byteAt(built, offset + 1) & 0x1f) << 8) | byteAt(built, offset + 2)
  return found === pid && (byteAt(built, offset + 1) & 0x40) !== 0
}

/** Number of audio units that begin before a video unit has been sent completely. */
function countOpenAcross(built: BuiltTs): number {
  const lastOfPid = new Map<number, number[]>()
  for (let offset = 0; offset < built.bytes.length; offset += 188) {
    const pid = ((byteAt(built, offset + 1) & 0x1f) << 8) | byteAt(built, offset + 2)
    lastOfPid.set(pid, [...(lastOfPid.get(pid) ?? []), offset])
  }
  const video = lastOfPid.get(0x100) ?? []
  return built.units.filter(({ pid, offset }) => {
    const next = video.find((at) => at > offset)
    return pid === 0x101 && next !== undefined && !startsUnit(built, next, 0x100)
  }).length
}
