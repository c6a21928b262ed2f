import assert from 'node:assert/strict'
import process from 'node:process'
import { describe, test } from 'node:test'
import { buildTs, type TsPlan } from '@millrace/engine/testing'
import fc from 'fast-check'
import { isUnitStart, PACKET_SIZE, readPid } from '@millrace/media/mpegts'
import { paced, PresentationBench, type TestMedia } from '../presentation.test.kit.js'
import { findIframe } from './iframe-range.js'

const VIDEO = { pid: 0x100, codec: 'h264', media: 'video' } as const

interface Shown {
  readonly bytes: Buffer
  readonly range: { readonly offset: number; readonly length: number } | undefined
}

/** The segments of a stream, and where their key frames are. */
function shown(plan: TsPlan): readonly Shown[] {
  const bench = new PresentationBench({ windowMs: 60_000 })
  bench.play([paced(plan)])
  return bench.presentation.life!.list.entries.flatMap(({ media }) => {
    const { kept, iframe } = media.get('main')!
    return [{ bytes: (kept as TestMedia).content, range: iframe }]
  })
}

function videoStarts(bytes: Uint8Array): readonly number[] {
  const starts: number[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    if (readPid(bytes, at) === VIDEO.pid && isUnitStart(bytes, at)) starts.push(at)
  }
  return starts
}

/** A packet with a PES packet of its own. */
function pesPacket(elementary: readonly number[]): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE).fill(0xff)
  packet.set([0x47, 0x40 | (VIDEO.pid >>> 8), VIDEO.pid & 0xff, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0, ...elementary])
  return packet
}

describe('the key frame of a segment', () => {
  test('may have PES packets for its slices, not for each of thousands', () => {
    const [first, later] = [pesPacket([0, 0, 1, 0x65, 0x88, 0x80]), pesPacket([0, 0, 1, 0x65, 0x23, 0x80])]
    const picture = (slices: number): Uint8Array[] => [first, ...Array.from({ length: slices - 1 }, () => later)]
    assert.deepEqual(findIframe([...picture(8), first], VIDEO), { offset: 0, length: 8 * PACKET_SIZE })
    assert.equal(findIframe([...picture(20_000), first], VIDEO), undefined)
  })

  test('lies from behind PAT and PMT up to the second PES packet of the video', () => {
    const all = shown({ durationS: 9, video: { gopFrames: 50, fps: 25, bitrate: 200_000 }, audio: {} })
    assert.ok(all.length >= 3)
    for (const { bytes, range } of all) {
      const [first, second] = videoStarts(bytes)
      assert.deepEqual([range?.offset, range!.offset + range!.length], [first, second])
      assert.equal(first, 2 * PACKET_SIZE)
    }
  })

  test('has the parameter sets in it that the stream sends once', () => {
    const packing = { setsOnce: true }
    for (const { bytes, range } of shown({ durationS: 9, video: { gopFrames: 50, fps: 25, packing } }).slice(1)) {
      const [sets, , next] = videoStarts(bytes)
      assert.deepEqual([range?.offset, range!.offset + range!.length], [sets, next])
    }
  })

  test('is not shown where PES packets begin anywhere in pictures: no range holds it alone', () => {
    const packing = { pesBytes: 3000 }
    const all = shown({ durationS: 9, video: { gopFrames: 50, fps: 25, packing, bitrate: 400_000 } })
    assert.ok(all.length >= 3)
    for (const { range } of all) assert.equal(range, undefined)
  })

  test('reaches to the end of a segment that has one picture', () => {
    const { bytes } = buildTs({ durationS: 1, video: { gopFrames: 25, fps: 25 }, audio: false })
    const starts = videoStarts(bytes)
    const one = bytes.subarray(starts[0], starts[1])
    assert.deepEqual(findIframe([one], VIDEO), { offset: 0, length: one.length })
  })

  test('is not looked for without video, in formats that are not read, and in what is no key frame', () => {
    const { bytes } = buildTs({ durationS: 1, video: { gopFrames: 25, fps: 25 } })
    const second = bytes.subarray(videoStarts(bytes)[1])
    assert.equal(findIframe([second], VIDEO), undefined)
    assert.equal(findIframe([bytes], { ...VIDEO, codec: 'mpeg2video' }), undefined)
    assert.equal(findIframe([bytes], { ...VIDEO, media: 'audio' }), undefined)
    assert.equal(findIframe([bytes], { ...VIDEO, pid: 0x777 }), undefined)
    assert.equal(findIframe([], VIDEO), undefined)
  })
})

test('any packets can be read, and a range lies inside of them', () => {
  const { bytes } = buildTs({ durationS: 1, video: { gopFrames: 5, fps: 25, bitrate: 50_000 } })
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 40 })
  fc.assert(
    fc.property(damage, fc.nat(20), fc.constantFrom('h264', 'h265'), (places, first, codec) => {
      const broken = Uint8Array.from(bytes)
      for (const [at, byte] of places) broken[at] = byte
      const part = broken.subarray(first * PACKET_SIZE)
      const range = findIframe([part.subarray(0, 5 * PACKET_SIZE), part.subarray(5 * PACKET_SIZE)], { ...VIDEO, codec })
      if (range === undefined) return
      assert.ok(range.offset >= 0 && range.length > 0 && range.offset + range.length <= part.length)
      assert.deepEqual([range.offset % PACKET_SIZE, range.length % PACKET_SIZE], [0, 0])
    }),
  )
})

test('a picture that never ends is looked through once, however many PES packets it has', () => {
  const units = Array.from({ length: 400 }, () => [0, 0, 1, 6]).flat()
  const bytes = Buffer.concat(
    Array.from({ length: 500 }, (_, number) => {
      const rest = Array.from({ length: 9 }, () => plainPacket(units.slice(0, 184)))
      return [pesPacket(number === 0 ? [0, 0, 1, 9] : units.slice(0, 160)), ...rest]
    }).flat(),
  )
  const startedMs = process.cpuUsage().user / 1000
  assert.equal(findIframe([bytes], VIDEO), undefined)
  const usedMs = process.cpuUsage().user / 1000 - startedMs
  assert.ok(usedMs < 1500, `${usedMs} ms`)
})

function plainPacket(elementary: readonly number[]): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE).fill(0xff)
  packet.set([0x47, VIDEO.pid >>> 8, VIDEO.pid & 0xff, 0x10, ...elementary])
  return packet
}
