import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk } from './contract.js'
import type { LiveEntry } from './live-route.js'
import { buildTs } from '../testing/index.js'
import type { TsPlan } from '../testing/index.js'
import { Framer, Remarker, SpliceTracker } from '@millrace/media/mpegts'
import type { GopChunk, TsChunk } from '@millrace/media/mpegts'
import { EntryBuilder } from './entry-builder.js'

function chunksOf(plan: TsPlan = {}): TsChunk[] {
  const framer = new Framer()
  const { bytes } = buildTs({ durationS: 4, ...plan })
  const chunks: TsChunk[] = []
  for (let at = 0; at < bytes.length; at += 20 * 188) {
    chunks.push(...framer.push(bytes.subarray(at, at + 20 * 188), at), ...framer.flush(at))
  }
  return [...chunks, ...framer.finish(0)]
}

/** Continuity errors by the rules of ISO/IEC 13818-1 2.4.3.3; a discontinuity_indicator excuses its own packet. */
function continuityErrors(bytes: Uint8Array): number[] {
  const last = new Map<number, number>()
  const errors: number[] = []
  for (let at = 0; at < bytes.length; at += 188) {
    const pid = ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!
    const counter = bytes[at + 3]! & 0x0f
    const hasField = (bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 0
    const isExcused = hasField && (bytes[at + 5]! & 0x80) !== 0
    const before = last.get(pid)
    last.set(pid, counter)
    if (pid === 0x1fff || before === undefined || isExcused) continue
    const step = (bytes[at + 3]! & 0x10) !== 0 ? 1 : 0
    if (counter !== ((before + step) & 0x0f)) errors.push(at)
  }
  return errors
}

/** Without the packets of a PID. */
function without(pid: number, { bytes, ...chunk }: TsChunk): TsChunk {
  const kept = Array.from({ length: bytes.length / 188 }, (_, index) => bytes.subarray(index * 188, index * 188 + 188))
  const left = new Uint8Array(Buffer.concat(kept.filter((packet) => pidsOf(packet)[0] !== pid)))
  return { ...chunk, bytes: left, marks: new Remarker().remark(left) }
}

describe('the entry builder when the selection of its input changes', () => {
  const chunks = chunksOf()
  const audio = 0x101
  const back = chunks.findIndex(({ randomAccess }, index) => randomAccess && index > chunks.length / 2)
  const first = Math.floor(chunks.length / 4)
  /** Continuity counters have 4 bits: 16 starting points cover every counter value. */
  for (const [how, from] of (['called', 'marked'] as const).flatMap((each) =>
    Array.from({ length: 16 }, (_, step) => [each, first + step] as const),
  )) {
    test(`announces a PID that was left out, unless its counter continues, and nothing else (${how}, ${from})`, () => {
      const builder = new EntryBuilder(false)
      const sent: Uint8Array[] = []
      for (const [index, chunk] of chunks.entries()) {
        if (index === back && how === 'called') builder.expectCounterJumps()
        const isMarked = index === back && how === 'marked'
        const isOut = index > from && index < back
        const next = isOut ? without(audio, chunk) : chunk
        for (const { bytes } of builder.push(isMarked ? { ...next, discontinuity: 'marked' } : next)) sent.push(bytes)
      }
      const all = new Uint8Array(Buffer.concat(sent))
      assert.deepEqual(continuityErrors(all), [])
      const given = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
      const out = chunks.slice(from + 1, back)
      const missing = out.reduce((sum, { bytes }) => sum + pidsOf(bytes).filter((pid) => pid === audio).length, 0)
      const announced = missing % 16 === 0 ? 0 : 1
      assert.equal(all.length, given - (missing - announced) * 188)
    })
  }
})

/** The GOPs of a stream, without the chunks before the first key frame. */
function gopsOf(chunks: readonly TsChunk[]): GopChunk[] {
  const splice = new SpliceTracker()
  const gops: GopChunk[] = []
  let id = -1
  let psi = new Uint8Array(0)
  for (const chunk of chunks) {
    if (chunk.randomAccess) {
      id++
      psi = new Uint8Array(splice.preamble())
    }
    splice.follow(chunk)
    const gop = { id, psi, tracks: [], startPts90k: -1, discontinuity: false }
    if (id >= 0) gops.push({ ...chunk, kind: 'gop', gop, first: chunk.randomAccess })
  }
  return gops
}

function pidsOf(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length / 188 }, (_, index) => {
    return ((bytes[index * 188 + 1]! & 0x1f) << 8) | bytes[index * 188 + 2]!
  })
}

/** Of the packets with payload. */
function countersOf(bytes: Uint8Array, pid: number): number[] {
  const offsets = pidsOf(bytes).flatMap((found, index) => (found === pid ? [index * 188] : []))
  return offsets.filter((at) => (bytes[at + 3]! & 0x10) !== 0).map((at) => bytes[at + 3]! & 15)
}

function bytesOf(entries: readonly LiveEntry[]): Uint8Array {
  return Buffer.concat(entries.map(({ bytes }) => bytes))
}

describe('the entry builder of a live output', () => {
  test('passes bytes on unchanged, with a join at each key frame', () => {
    const chunks = chunksOf()
    const builder = new EntryBuilder(false)
    const entries = chunks.flatMap((chunk) => builder.push(chunk))
    assert.equal(entries.length, chunks.length)
    assert.ok(entries.every(({ bytes }, index) => bytes === chunks[index]?.bytes))
    assert.deepEqual(
      entries.map(({ join }) => join?.keyframe === true),
      chunks.map(({ randomAccess }) => randomAccess),
    )
    assert.equal(entries.filter(({ join }) => join !== undefined).length, 4)
  })

  test('has a join at every chunk when viewers start at once', () => {
    const builder = new EntryBuilder(true)
    const entries = chunksOf().flatMap((chunk) => builder.push(chunk))
    assert.ok(entries.every(({ join }) => join !== undefined))
    assert.equal(entries.filter(({ join }) => join?.keyframe === true).length, 4)
    const now = new EntryBuilder(false)
    now.joinsAnywhere = true
    assert.ok(now.push(chunksOf()[1]!)[0]?.join !== undefined)
  })

  test('starts viewers with what a key frame lacks, also if it begins inside a packet', () => {
    const packing = { pictures: 3, setsOnce: true }
    const chunks = chunksOf({ video: { gopFrames: 10, packing }, audio: false })
    const inside = chunks.findIndex(({ head }) => head?.startsInside === true)
    assert.ok(inside > 0)
    for (const lost of [-1, inside]) {
      const builder = new EntryBuilder(false)
      const list = chunks.map((chunk, index) => (index === lost ? { ...chunk, discontinuity: 'lost' as const } : chunk))
      const entries = list.map((chunk) => builder.push(chunk))
      if (lost < 0)
        assert.equal(Buffer.compare(bytesOf(entries.flat()), Buffer.concat(list.map(({ bytes }) => bytes))), 0)
      else
        assert.ok(
          bytesOf(entries[lost]!).length > 0 &&
            entries[lost]!.every(({ join }, at) => (at === 0) !== (join !== undefined)),
        )
      for (const { bytes, join } of entries.flat()) {
        if (join === undefined) continue
        for (const lead of [join.preamble(), join.bridge()]) {
          const counters = countersOf(Buffer.concat([lead, bytes]), 0x100)
          assert.ok(
            counters.every((counter, at) => at === 0 || counter === ((counters[at - 1]! + 1) & 15)),
            counters.join(),
          )
        }
      }
      const heads = entries.flat().filter(({ join }) => join !== undefined && pidsOf(join.preamble()).includes(0x100))
      assert.equal(heads.length, chunks.filter(({ head }) => head !== undefined).length)
    }
  })

  for (const [name, plan] of [
    ['of one program', {}],
    ['with tables away from key frames', { psi: { beforeKeyframes: false, intervalMs: 700, phaseMs: 30 } }],
    ['with a PMT over two packets, and the PCR on its own PID', { pmtPackets: 2, pcr: { pid: 0x90 } }],
    ['of two programs', { programs: [{}, {}] }],
  ] as const) {
    test(`lets viewers join a stream ${name} at each join without a continuity error`, () => {
      const chunks = chunksOf(plan)
      const builder = new EntryBuilder(true)
      const entries = chunks.flatMap((chunk) => builder.push(chunk))
      for (const [index, { join }] of entries.entries()) {
        const joined = Buffer.concat([join?.preamble() ?? new Uint8Array(), bytesOf(entries.slice(index))])
        assert.deepEqual(continuityErrors(joined), [], `from entry ${index}`)
      }
    })

    test(`lets viewers skip in a stream ${name} without a continuity error`, () => {
      const builder = new EntryBuilder(false)
      const entries = chunksOf(plan).flatMap((chunk) => builder.push(chunk))
      for (const [index, { join }] of entries.entries()) {
        if (join === undefined || index < 3) continue
        const skipped = [bytesOf(entries.slice(0, 2)), join.bridge(), bytesOf(entries.slice(index))]
        assert.deepEqual(continuityErrors(Buffer.concat(skipped)), [], `to entry ${index}`)
      }
    })

    test(`bridges a loss in a stream ${name}, for present viewers and for those who join later`, () => {
      const chunks = chunksOf(plan)
      for (let from = 2; from < chunks.length - 8; from += 3) {
        const builder = new EntryBuilder(true)
        const lost: AnyChunk = { ...chunks[from + 5]!, discontinuity: 'lost' }
        const kept = [...chunks.slice(0, from), lost, ...chunks.slice(from + 6)]
        const entries = kept.flatMap((chunk) => builder.push(chunk))
        assert.deepEqual(continuityErrors(bytesOf(entries)), [], `${from} to ${from + 5} are lost`)
        const at = entries.findIndex(({ bytes }) => bytes === lost.bytes)
        for (const next of [at, at + 1, at + 2, at + 3]) {
          const { join } = entries[next] ?? {}
          if (join === undefined) continue
          const joined = [join.preamble(), bytesOf(entries.slice(next))]
          assert.deepEqual(continuityErrors(Buffer.concat(joined)), [], `${from} is lost, joined at ${next - at}`)
          const skipped = [bytesOf(entries.slice(0, 2)), join.bridge(), bytesOf(entries.slice(next))]
          assert.deepEqual(continuityErrors(Buffer.concat(skipped)), [], `${from} is lost, skipped to ${next - at}`)
        }
      }
    })
  }

  for (const isLost of [false, true]) {
    test(`uses the tables of a GOP ${isLost ? 'after a loss' : 'at the start'} in place of those in packets that were left out`, () => {
      const plan = { psi: { beforeKeyframes: false, phaseMs: 45, intervalMs: 300 }, pmtPackets: 2 } as const
      const gops = gopsOf(chunksOf(plan))
      const at = gops.findIndex(({ first, gop }) => first && gop.id === (isLost ? 2 : 0))
      const builder = new EntryBuilder(false)
      const kept = isLost ? [...gops.slice(0, 2), { ...gops[at]!, discontinuity: 'lost' as const }] : [gops[at]!]
      const entries = [...kept, ...gops.slice(at + 1)].flatMap((chunk) => builder.push(chunk))
      const index = entries.findIndex(({ bytes }) => bytes === gops[at]!.bytes)
      assert.deepEqual(pidsOf(entries[index]!.join!.preamble()), [0, 0x1000, 0x1000])
      const joined = Buffer.concat([entries[index]!.join!.preamble(), bytesOf(entries.slice(index))])
      assert.deepEqual(continuityErrors(joined), [])
      assert.deepEqual(continuityErrors(bytesOf(entries)), [])
    })
  }

  test('adds no packets if nothing was lost, or nothing had been sent', () => {
    const [first] = chunksOf()
    assert.equal(new EntryBuilder(false).push({ ...first!, discontinuity: 'lost' }).length, 1)
    for (const discontinuity of ['source', 'marked'] as const) {
      const builder = new EntryBuilder(false)
      for (const chunk of chunksOf()) assert.equal(builder.push({ ...chunk, discontinuity }).length, 1)
    }
  })
})
