import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import type { GopChunk, TsChunk } from '@millrace/media/mpegts'
import { GopCutter } from './gop-cutter.js'

/** Chunks of 50 ms, 20 packets at a time. */
function chunksOf(bytes: Uint8Array, generation = 0): TsChunk[] {
  const framer = new Framer({ generation })
  const chunks: TsChunk[] = []
  let nowMs = 0
  for (let at = 0; at < bytes.length; at += 20 * 188, nowMs += 50) {
    chunks.push(...framer.push(bytes.subarray(at, at + 20 * 188), nowMs), ...framer.flush(nowMs))
  }
  return [...chunks, ...framer.finish(nowMs)]
}

function cutAll(chunks: readonly TsChunk[], cutter = cutterOf()): GopChunk[] {
  return chunks.flatMap((chunk) => cutter.push(chunk))
}

function cutterOf(maxDurationMs = 10_000, joins: 'wait' | 'nearest' = 'wait'): GopCutter {
  return new GopCutter({ maxDurationMs, joins })
}

function bytesOf(chunks: readonly { readonly bytes: Uint8Array }[]): Buffer {
  return Buffer.concat(chunks.map(({ bytes }) => bytes))
}

/** The bytes after the start codes. */
const SETS = { h264: [0x67, 0x68], h265: [0x40, 0x42, 0x44], mpeg2: [0xb3, 0xb5] } as const

function unitsOf(elementary: Uint8Array): number[] {
  return Array.from(elementary).filter(
    (_, at) => at >= 3 && elementary[at - 1] === 1 && elementary[at - 2] === 0 && elementary[at - 3] === 0,
  )
}

function isIdr(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 0x1f) === 5 && bytes[at - 1] === 1 && bytes[at - 2] === 0 && bytes[at - 3] === 0
}

describe('the GOP cutter', () => {
  const plans: readonly { name: string; plan: TsPlan }[] = [
    { name: 'like that of ffmpeg', plan: {} },
    { name: 'without random_access_indicator', plan: { video: { randomAccessIndicator: false } } },
    { name: 'of H.265', plan: { video: { codec: 'h265', bFrames: 2 } } },
    { name: 'of MPEG-2', plan: { video: { codec: 'mpeg2' } } },
    { name: 'with tables away from key frames', plan: { psi: { beforeKeyframes: false, intervalMs: 300 } } },
    {
      name: 'with GOPs shorter than the interval of tables',
      plan: { video: { gopFrames: 5 }, psi: { beforeKeyframes: false, intervalMs: 500 } },
    },
  ]
  for (const { name, plan } of plans) {
    test(`passes every byte of a stream ${name} from the first key frame on, one first per key frame`, () => {
      const built = buildTs({ durationS: 4, ...plan })
      const cutter = cutterOf()
      const cut = cutAll(chunksOf(built.bytes), cutter)
      const passed = bytesOf(cut)
      assert.equal(Buffer.compare(passed, built.bytes.subarray(built.bytes.length - passed.length)), 0)
      assert.equal(cutter.skippedPackets * 188, built.bytes.length - passed.length)
      const heads = cut.filter(({ first }) => first)
      assert.equal(cut[0]?.first, true)
      const lead = built.bytes.length - passed.length
      assert.equal(heads.length, built.keyframes.filter((offset) => offset >= lead).length)
      assert.deepEqual(
        heads.map(({ gop }) => gop.id),
        heads.map((_, index) => index),
      )
      for (const chunk of cut) assert.equal(chunk.gop, heads.filter(({ gop }) => gop.id <= chunk.gop.id).at(-1)?.gop)
      assert.ok(cut.every(({ discontinuity, gop }) => discontinuity === false && !gop.discontinuity))
    })
  }

  test('gives each GOP its start PTS, its tracks, and the tables in force', () => {
    const built = buildTs({ durationS: 3, video: { bFrames: 2 }, audio: { language: 'deu' } })
    const heads = cutAll(chunksOf(built.bytes)).filter(({ first }) => first)
    const keys = built.units.filter(({ pid, randomAccess }) => pid === 0x100 && randomAccess)
    assert.deepEqual(
      heads.map(({ gop }) => gop.startPts90k),
      keys.map(({ pts90k }) => pts90k),
    )
    const [first, second] = heads
    assert.deepEqual(
      first?.gop.tracks.map(({ pid, codec, language }) => [pid, codec, language]),
      [
        [0x100, 'h264', ''],
        [0x101, 'aac', 'deu'],
      ],
    )
    assert.ok(first.gop.tracks[0]!.parameterSets !== 0)
    const pids = (bytes: Uint8Array): number[] =>
      Array.from(
        { length: bytes.length / 188 },
        (_, index) => ((bytes[index * 188 + 1]! & 0x1f) << 8) | bytes[index * 188 + 2]!,
      )
    assert.deepEqual(pids(second!.gop.psi), [0, 0x1000])
  })

  test('measures the length of the last GOP', () => {
    const cutter = cutterOf()
    cutAll(chunksOf(buildTs({ durationS: 4, video: { gopFrames: 10 } }).bytes), cutter)
    assert.equal(cutter.lastGopSeconds, 0.4)
    assert.ok(cutter.keyFrameAtMs > 0)
  })

  test('waits for a key frame after a loss or a new source, and reports it on the next chunk that passes', () => {
    const chunks = chunksOf(buildTs({ durationS: 6 }).bytes)
    const keys = chunks.flatMap(({ randomAccess }, index) => (randomAccess ? [index] : []))
    for (const discontinuity of ['lost', 'source'] as const) {
      const at = keys[2]! + 2
      const broken = chunks.map((chunk, index) => (index === at ? { ...chunk, discontinuity } : chunk))
      const cutter = cutterOf()
      const cut = cutAll(broken, cutter)
      assert.equal(Buffer.compare(bytesOf(cut), bytesOf([...chunks.slice(keys[0], at), ...chunks.slice(keys[3])])), 0)
      const after = cut.find(({ gop }) => gop.id === 3)
      assert.deepEqual([after?.first, after?.discontinuity, after?.gop.discontinuity], [true, 'lost', true])
      assert.equal(cut.filter((chunk) => chunk.discontinuity !== false).length, 1)
    }
  })

  test('keeps the discontinuity of a source that begins with a key frame', () => {
    const chunks = chunksOf(buildTs({ durationS: 4 }).bytes)
    const cut = cutAll(
      chunks.map((chunk, index) => (index > 2 && chunk.randomAccess ? { ...chunk, discontinuity: 'source' } : chunk)),
    )
    assert.deepEqual(
      cut.filter(({ first }) => first).map(({ discontinuity, gop }) => [discontinuity, gop.discontinuity]),
      [[false, false], ...Array<['source', boolean]>(3).fill(['source', true])],
    )
  })

  test('marks a GOP with other tracks as discontinuous', () => {
    const one = chunksOf(buildTs({ durationS: 2 }).bytes)
    const two = chunksOf(buildTs({ durationS: 2, audio: false, pmtVersion: 1 }).bytes)
    const cut = cutAll([...one, ...two.map((chunk): TsChunk => ({ ...chunk, discontinuity: false }))])
    const heads = cut.filter(({ first }) => first)
    assert.deepEqual(
      heads.map(({ gop }) => gop.discontinuity),
      [false, false, true, false],
    )
  })
})

describe('the GOP cutter with a GOP longer than maxDuration', () => {
  const endless = buildTs({ durationS: 4, video: { gopFrames: Infinity } })
  const middle = endless.bytes.subarray(Math.floor(endless.packets / 3) * 188)

  test('goes on with it: pictures come, so nothing is wrong', () => {
    const cutter = cutterOf(300)
    const cut = cutAll(chunksOf(endless.bytes), cutter)
    assert.equal(cut.filter(({ first }) => first).length, 1)
    assert.equal(cutter.fault, 'none')
  })

  test('begins another at a video unit where joins are nearest', () => {
    const cutter = cutterOf(300, 'nearest')
    const cut = cutAll(chunksOf(endless.bytes), cutter)
    const heads = cut.filter(({ first }) => first)
    assert.ok(heads.length > 3)
    assert.equal(cutter.fault, 'none')
    const units = new Set(endless.units.filter(({ pid }) => pid === 0x100).map(({ offset }) => offset))
    let offset = endless.bytes.length - bytesOf(cut).length
    for (const chunk of cut) {
      if (chunk.first && offset > 1000) assert.ok(units.has(offset), `a GOP begins at ${offset}`)
      offset += chunk.bytes.length
    }
    assert.equal(Buffer.compare(bytesOf(cut), endless.bytes.subarray(endless.bytes.length - bytesOf(cut).length)), 0)
    assert.ok(heads.every(({ gop }) => gop.startPts90k >= 0 && !gop.discontinuity))
  })

  for (const codec of ['h264', 'h265', 'mpeg2'] as const) {
    test(`gives decoders that start there the parameter sets in force: ${codec}`, () => {
      const { bytes } = buildTs({ durationS: 3, video: { codec, gopFrames: Infinity } })
      const half = chunksOf(bytes)
      const later = half.splice(Math.floor(half.length / 2))
      const first = cutterOf(300, 'nearest')
      const cut = cutAll(half, first)
      // Another cutter continues with what this one knows.
      const second = new GopCutter({ maxDurationMs: 300, joins: 'nearest' }, first.state())
      const [begin, ...heads] = [...cut, ...cutAll(later, second)].filter((chunk) => chunk.first)
      assert.equal(begin?.head, undefined)
      assert.ok(heads.length > 4)
      for (const { head, gop } of heads) {
        assert.deepEqual([head?.pid, head?.startsInside, head?.pts90k], [0x100, false, gop.startPts90k])
        assert.deepEqual(unitsOf(head?.elementary ?? new Uint8Array()), SETS[codec])
      }
    })
  }

  test('has the sets where they came without a key frame', () => {
    const { bytes, units } = buildTs({ durationS: 3, video: { gopFrames: Infinity } })
    const [, second] = units.filter(({ pid }) => pid === 0x100)
    // The only key picture becomes one of slice type P, behind its parameter sets.
    const at = bytes.findIndex((_, index) => isIdr(bytes, index))
    assert.ok(at > 0 && at < second!.offset)
    bytes.set([0x21, 0xe0], at)
    const chunks = chunksOf(bytes)
    assert.ok(chunks.every(({ randomAccess }) => !randomAccess))
    const [start] = cutAll(chunks, cutterOf(300, 'nearest'))
    assert.deepEqual(unitsOf(start?.head?.elementary ?? new Uint8Array()), SETS.h264)
  })

  describe('whose parameter sets change without a key frame', () => {
    const video = { keyPicture: 'none', gopFrames: Infinity } as const
    const before = buildTs({ durationS: 2, video })
    const { nextCounters: startCounters, endPts90k: startPts90k } = before
    const after = buildTs({ durationS: 2, video: { ...video, width: 128 }, startCounters, startPts90k })
    const headsOf = (chunks: readonly TsChunk[]): (string | undefined)[] => {
      const heads = cutAll(chunks, cutterOf(300, 'nearest')).filter(({ first }) => first)
      return heads.map(({ head }) => head && Buffer.from(head.elementary).toString('hex'))
    }
    const [old, other] = [before, after].map(({ bytes }) => headsOf(chunksOf(bytes)).at(-1))

    test('has those that came last', () => {
      assert.ok(old !== undefined && other !== undefined && old !== other)
      const chunks = chunksOf(bytesOf([before, after]))
      assert.ok(chunks.every(({ randomAccess }) => !randomAccess))
      const heads = headsOf(chunks)
      assert.equal(heads[0], old)
      assert.equal(heads.at(-1), other)
    })

    for (const [name, from, wanted] of [
      ['has those before its first picture', 0, [old]],
      ['has none if there were none before its first picture', 0.25, [undefined]],
    ] as const) {
      test(`${name}, where others come behind that`, () => {
        const framer = new Framer({ generation: 0 })
        const all = bytesOf([before, after])
        const [start, half] = [from, 0.5].map((share) => Math.floor(before.packets * share) * 188)
        const chunks = [all.subarray(start, half), all.subarray(half)].flatMap((bytes, index) => [
          ...framer.push(bytes, index * 1000),
          ...framer.flush(index * 1000),
        ])
        assert.equal(chunks.length, 2)
        assert.deepEqual(headsOf(chunks), wanted)
      })
    }
  })

  test('passes nothing before the first key frame, and says so until it comes', () => {
    const cutter = cutterOf(300)
    assert.deepEqual(cutAll(chunksOf(middle), cutter), [])
    assert.equal(cutter.fault, 'no key frame')
    const [key] = chunksOf(buildTs({ durationS: 1 }).bytes).filter(({ randomAccess }) => randomAccess)
    assert.equal(cutter.push(key!).length, 1)
    assert.equal(cutter.fault, 'none')
  })

  test('begins in the middle of it where joins are nearest', () => {
    const cutter = cutterOf(300, 'nearest')
    const cut = cutAll(chunksOf(middle), cutter)
    assert.equal(cut[0]?.first, true)
    assert.ok(cutter.skippedPackets > 0)
  })

  test('does not miss key frames where tables are missing, or pictures: the input says so', () => {
    const { bytes, sections } = buildTs({ durationS: 2 })
    const blind = bytes.slice()
    for (const { offset } of sections) blind[offset + 2] = 0x33
    for (const joins of ['wait', 'nearest'] as const) {
      const cutter = cutterOf(300, joins)
      assert.equal(cutAll(chunksOf(blind), cutter).length, 0)
      assert.equal(cutter.fault, 'none')
    }
  })

  test('says that no pictures come while only others do', () => {
    const silent = endless.bytes.slice()
    const half = Math.floor(endless.packets / 2) * 188
    for (let at = half; at < silent.length; at += 188) if (silent[at + 2] === 0) silent.set([0x1f, 0xff], at + 1)
    const cutter = cutterOf(300)
    cutAll(chunksOf(silent), cutter)
    assert.equal(cutter.fault, 'no pictures')
    cutter.push({ ...chunksOf(endless.bytes)[3]!, receivedAtMs: 60_000 })
    assert.equal(cutter.fault, 'none')
  })

  test('applies new settings at once', () => {
    const settings = { maxDurationMs: 60_000, joins: 'nearest' as 'wait' | 'nearest' }
    const cutter = new GopCutter(settings)
    const chunks = chunksOf(endless.bytes)
    const third = Math.floor(chunks.length / 3)
    const firsts = (from: number, to: number): number =>
      cutAll(chunks.slice(from, to), cutter).filter(({ first }) => first).length
    assert.equal(firsts(0, third), 1)
    settings.maxDurationMs = 100
    assert.ok(firsts(third, 2 * third) > 2)
    settings.joins = 'wait'
    assert.equal(firsts(2 * third, chunks.length), 0)
  })
})

describe('the GOP cutter with a stream of ffmpeg', () => {
  test('passes the whole test card', () => {
    const clip = readFileSync(join(import.meta.dirname, '../../../pipelines/media/testcard.ts'))
    const cutter = cutterOf()
    const cut = cutAll(chunksOf(clip), cutter)
    const passed = bytesOf(cut)
    assert.equal(Buffer.compare(passed, clip.subarray(clip.length - passed.length)), 0)
    assert.ok(cutter.skippedPackets <= 5, `${cutter.skippedPackets} packets before the first key frame`)
    assert.ok(cut.filter(({ first }) => first).length >= 5)
    assert.equal(cutter.fault, 'none')
  })
})
