import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { buildTs, junkBetween, PTS_WRAP, withStride } from '@millrace/engine/testing'
import type { BuiltTs, TsPlan } from '@millrace/engine/testing'
import {
  hasPcr,
  isUnitStart,
  payloadOffset,
  readPcrBase,
  readPid,
  readPts,
  writePcrBase,
  writePts,
} from '@millrace/media/mpegts'
import { PcrSchedule } from './pcr-schedule.js'

const WRAP_27M = 2 ** 33 * 300

function scheduleOf(bytes: Uint8Array, blockBytes = 64 * 1024): PcrSchedule {
  const schedule = new PcrSchedule()
  for (let at = 0; at < bytes.length; at += blockBytes) schedule.push(bytes.subarray(at, at + blockBytes))
  return schedule
}

function takenBytes(schedule: PcrSchedule, ms: number): number {
  return schedule.take(ms).reduce((sum, part) => sum + part.length, 0)
}

/**
 * Asserts that at each PCR exactly the bytes before it have been handed over, and halfway between two PCRs half the
 * packets.
 */
function assertPaced(
  schedule: PcrSchedule,
  { pcrs }: Pick<BuiltTs, 'pcrs'>,
  offsetOf = (offset: number) => offset,
): void {
  let taken = 0
  let ms = 0
  for (const [index, { offset, pcr27m }] of pcrs.entries()) {
    const before = pcrs[index - 1]
    if (before !== undefined) {
      const stepMs = ((pcr27m - before.pcr27m + WRAP_27M) % WRAP_27M) / 27_000
      taken += takenBytes(schedule, ms + stepMs / 2)
      const stride = (offsetOf(offset) - offsetOf(before.offset)) / ((offset - before.offset) / 188)
      const packets = (taken - offsetOf(before.offset)) / stride
      const half = (offset - before.offset) / 188 / 2
      assert.ok([Math.floor(half), half].includes(packets), `${packets} and not ${half} half way to PCR ${index}`)
      ms += stepMs
    }
    taken += takenBytes(schedule, ms)
    assert.ok(
      Math.abs(taken - offsetOf(offset)) <= 1,
      `${taken} bytes at PCR ${index}, which is at ${offsetOf(offset)}`,
    )
  }
}

/** The clock of the PID runs at another pace. */
function setPace(bytes: Uint8Array, pid: number, pace: number): void {
  let first = -1
  for (let at = 0; at < bytes.length; at += 188) {
    if (readPid(bytes, at) !== pid || !hasPcr(bytes, at)) continue
    const base = readPcrBase(bytes, at)
    if (first < 0) first = base
    writePcrBase(bytes, at, Math.round(first + (base - first) * pace))
  }
}

/** No PCR is left; the units of the PID have times that run at another pace. */
function setDtsPace(bytes: Uint8Array, pid: number, pace: number): void {
  let first = -1
  for (let at = 0; at < bytes.length; at += 188) {
    if (hasPcr(bytes, at)) bytes[at + 5] = bytes[at + 5]! & ~0x10
    if (readPid(bytes, at) !== pid || !isUnitStart(bytes, at)) continue
    const payload = payloadOffset(bytes, at)
    const pts = readPts(bytes, payload, at + 188)
    if (first < 0) first = pts
    writePts(bytes, payload, at + 188, Math.round(first + (pts - first) * pace))
  }
}

describe('the schedule of a file', () => {
  const plans: readonly { name: string; plan: TsPlan }[] = [
    { name: 'like that of ffmpeg', plan: {} },
    { name: 'with the PCR on its own PID', plan: { pcr: { pid: 0x90, intervalMs: 35 } } },
    { name: 'whose PCR wraps in the middle', plan: { startPts90k: PTS_WRAP - 90_000 } },
    { name: 'of audio only', plan: { video: false } },
    { name: 'of constant rate', plan: { muxRate: 3e6 } },
    { name: 'of two programs, by the first PCR', plan: { programs: [{}, {}] } },
  ]
  for (const { name, plan } of plans) {
    test(`${name} has each byte due when its PCRs say`, () => {
      const { bytes, pcrs: all } = buildTs({ durationS: 3, ...plan })
      const pcrs = all.filter(({ pid }) => pid === all[0]?.pid)
      for (const blockBytes of [188 * 7 + 3, 65_536]) assertPaced(scheduleOf(bytes, blockBytes), { pcrs })
    })
  }

  test('does not depend on block boundaries', () => {
    const built = buildTs({ durationS: 1 })
    for (const blockBytes of [1, 100, 187, 188, 189]) assertPaced(scheduleOf(built.bytes, blockBytes), built)
  })

  for (const stride of [192, 204] as const) {
    test(`is the same for packets of ${stride} bytes`, () => {
      const built = buildTs({ durationS: 2 })
      const lead = stride === 192 ? 4 : 0
      const bytes = withStride(built.bytes, stride)
      assertPaced(scheduleOf(bytes, 5000), built, (offset) => (offset / 188) * stride + lead)
    })
  }

  test('continues across junk', () => {
    const built = buildTs({ durationS: 4 })
    const { bytes, offsets } = junkBetween(built.bytes, { every: 100, size: 1000 })
    const moved = (offset: number): number => offset + offsets.filter((at) => at <= offset).length * 1000
    const schedule = scheduleOf(bytes)
    schedule.end()
    const last = built.pcrs.at(-1)!
    const ms = (last.pcr27m - built.pcrs[0]!.pcr27m) / 27_000
    assert.ok(Math.abs(schedule.lastPcrMs - ms) < 1, `${schedule.lastPcrMs} and not ${ms}`)
    const taken = takenBytes(schedule, ms)
    assert.ok(Math.abs(taken - moved(last.offset)) <= 1)
  })

  for (const [name, startPts90k] of [
    ['forward', 90_000 * 3600],
    ['back', 90_000],
  ] as const) {
    test(`continues at the previous pace across a clock jump ${name}`, () => {
      const first = buildTs({ durationS: 3 })
      const second = buildTs({ durationS: 3, startPts90k })
      const schedule = scheduleOf(Buffer.concat([first.bytes, second.bytes]))
      schedule.end()
      assert.ok(schedule.durationMs > 5500 && schedule.durationMs < 6500, `${schedule.durationMs} ms`)
    })
  }

  test('continues with another PID when the first one has no more PCRs', () => {
    const first = buildTs({ durationS: 3 })
    const second = buildTs({ durationS: 20, video: { pid: 0x200 }, startPts90k: 90_000 * 100 })
    const schedule = scheduleOf(Buffer.concat([first.bytes, second.bytes]))
    schedule.end()
    assert.ok(schedule.durationMs > 20_000 && schedule.durationMs < 26_000, `${schedule.durationMs} ms`)
  })

  test('continues where PCRs stop', () => {
    const { bytes, pcrs } = buildTs({ durationS: 6 })
    const silent = bytes.slice()
    for (const { offset } of pcrs) if (offset > bytes.length / 3) silent[offset + 5] = silent[offset + 5]! & ~0x10
    const schedule = scheduleOf(silent)
    assert.ok(schedule.knownMs > 5000, `${schedule.knownMs} ms are known`)
    takenBytes(schedule, 5000)
    assert.ok(schedule.waitingBytes < bytes.length / 3)
    schedule.end()
    takenBytes(schedule, 8000)
    assert.equal(schedule.waitingBytes, 0)
  })

  for (const { name, hasPcrAt } of [
    { name: 'stop', hasPcrAt: (share: number) => share < 0.2 },
    { name: 'come every 3 s', hasPcrAt: (share: number) => (share * 10) % 3 < 0.05 },
    { name: 'pause', hasPcrAt: (share: number) => share < 0.2 || share > 0.8 },
    { name: 'begin late', hasPcrAt: (share: number) => share > 0.4 },
  ]) {
    test(`where PCRs ${name}, bytes are due by DTS`, () => {
      const { bytes, pcrs } = buildTs({ durationS: 10 })
      const [{ pcr27m: first } = { pcr27m: 0 }] = pcrs
      const silent = bytes.slice()
      for (const { offset, pcr27m } of pcrs)
        if (!hasPcrAt((pcr27m - first) / 270e6)) silent[offset + 5] = silent[offset + 5]! & ~0x10
      const schedule = scheduleOf(silent)
      schedule.end()
      let taken = 0
      for (const { offset, pcr27m } of pcrs.slice(1)) {
        taken += takenBytes(schedule, (pcr27m - first) / 27_000)
        const late = pcrs.findLast((pcr) => pcr.offset <= taken)!
        const differenceMs = (pcr27m - late.pcr27m) / 27_000
        assert.ok(Math.abs(differenceMs) < 400, `${differenceMs} ms at ${offset}`)
      }
      assert.ok(Math.abs(schedule.span27M / 27_000 - schedule.lastPcrMs) < 1)
    })
  }

  test('where the PCR stands still, bytes are due by DTS', () => {
    const { bytes, pcrs } = buildTs({ durationS: 6 })
    const still = bytes.slice()
    const from = pcrs[20]!.offset
    for (const { offset } of pcrs.slice(20)) still.copyWithin(offset + 6, from + 6, from + 12)
    const schedule = scheduleOf(still)
    schedule.end()
    assert.ok(Math.abs(schedule.lastPcrMs - 6000) < 600, `${schedule.lastPcrMs} ms`)
  })

  test('a picture of many bytes after a quiet time does not count as silence', () => {
    const quiet = buildTs({ durationS: 3, video: { bitrate: 20_000 } })
    const loud = buildTs({ durationS: 3, video: { bitrate: 20e6 }, startPts90k: 90_000 + 3 * 90_000 })
    const schedule = scheduleOf(Buffer.concat([quiet.bytes, loud.bytes]))
    schedule.end()
    assert.ok(Math.abs(schedule.lastPcrMs - 6000) < 600, `${schedule.lastPcrMs} ms`)
  })

  test('without any clock, has nothing due before the end, and then everything', () => {
    const silent = new Uint8Array(200 * 188).fill(0xff)
    for (let at = 0; at < silent.length; at += 188) silent.set([0x47, 0x01, 0x00, 0x10], at)
    const schedule = scheduleOf(silent)
    assert.deepEqual([schedule.knownMs, schedule.isPaced, schedule.span27M], [-1, false, -1])
    assert.equal(takenBytes(schedule, 1e6), 0)
    schedule.end()
    assert.equal(takenBytes(schedule, 0), silent.length)
  })

  for (const { name, durationS, pcrs: left } of [
    { name: 'no PCR', durationS: 2, pcrs: 0 },
    { name: 'a single PCR', durationS: 2, pcrs: 1 },
    { name: 'no PCR in the first MiB', durationS: 30, pcrs: 0 },
  ]) {
    test(`a file with ${name} is due by its DTS`, () => {
      const { bytes, pcrs, units } = buildTs({ durationS, video: { bFrames: 2 } })
      const silent = bytes.slice()
      for (const { offset } of pcrs.slice(left)) silent[offset + 5] = silent[offset + 5]! & ~0x10
      const schedule = scheduleOf(silent)
      if (durationS < 10) schedule.end()
      assert.equal(schedule.isPaced, true)
      const [{ pid, dts90k: first } = { pid: 0, dts90k: 0 }] = units
      const timed = units.filter((unit) => unit.pid === pid)
      for (const share of [0.2, 0.5, 0.9]) {
        const { dts90k, offset } = timed[Math.floor(timed.length * share)]!
        const taken = bytes.length - schedule.waitingBytes + takenBytes(schedule, (dts90k - first) / 90)
        assert.ok(Math.abs(taken - offset) < 20_000, `${taken} bytes, ${offset} expected`)
      }
    })
  }

  for (const [name, pace] of [
    ['runs at a quarter of the pace', 0.25],
    ['runs at twice the pace', 2],
    ['stands still', 0],
  ] as const) {
    test(`goes by the clock of the program that leads, where that of radio in front of it ${name}`, () => {
      const radio = { video: false, audio: { pid: 0x101 } } as const
      const tv = { number: 2, pmtPid: 0x1001, video: { pid: 0x200 }, audio: { pid: 0x201 } } as const
      for (const set of [setPace, setDtsPace]) {
        const { bytes } = buildTs({ durationS: 12, programs: [radio, tv] })
        set(bytes, 0x101, pace)
        const schedule = scheduleOf(bytes)
        schedule.end()
        const by = `${schedule.durationMs} ms with ${set.name}`
        assert.ok(Math.abs(schedule.durationMs - 12_000) < (set === setPace ? 200 : 600), by)
        const half = takenBytes(schedule, 6000)
        assert.ok(Math.abs(half / bytes.length - 0.5) < 0.05, `${half} of ${bytes.length} bytes`)
      }
    })
  }

  for (const stride of [188, 192, 204] as const) {
    test(`hands over whole packets of ${stride} bytes`, () => {
      const { bytes } = buildTs({ durationS: 3, programs: [{}, {}] })
      const schedule = scheduleOf(stride === 188 ? bytes : withStride(bytes, stride), stride * 100)
      schedule.end()
      // If packets have a timestamp in front, the file ends in the middle of what the schedule sees as a packet.
      const lead = stride === 192 ? 4 : 0
      const parts: number[] = []
      for (let ms = 0; schedule.waitingBytes > 0; ms += 7) parts.push(takenBytes(schedule, ms))
      assert.ok(parts.length > 400)
      assert.deepEqual(parts.filter((size) => size % stride !== 0).length, lead === 0 ? 0 : 2)
    })
  }

  test('hands over every byte once, in order', () => {
    const clip = readFileSync(join(import.meta.dirname, '../../../pipelines/media/testcard.ts'))
    const schedule = scheduleOf(clip, 9999)
    schedule.end()
    const parts: Uint8Array[] = []
    for (let ms = -20; schedule.waitingBytes > 0; ms += 10) parts.push(...schedule.take(ms))
    assert.equal(Buffer.compare(Buffer.concat(parts), clip), 0)
    assert.ok(schedule.durationMs > 9000 && schedule.durationMs < 21_000, `${schedule.durationMs} ms`)
  })

  test('hands over nothing for an earlier time', () => {
    const built = buildTs({ durationS: 1 })
    const schedule = scheduleOf(built.bytes)
    assert.ok(takenBytes(schedule, 500) > 0)
    assert.equal(takenBytes(schedule, 100), 0)
  })
})
