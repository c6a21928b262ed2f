// Frames to FLV, to a transport stream, and back: the same frames, as far as containers can keep them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { FlvReader, FlvWriter } from '@millrace/media/flv'
import { TsMuxer } from '@millrace/media/mpegts'
import type { HeldFrame } from './frames.kit.js'
import { demux, HeldFrames } from './frames.kit.js'
import { clips } from './streams.js'

/** FLV counts milliseconds. */
const MS_90K = 90

/** What a reader of FLV hands out, muxed again. */
class Muxed extends HeldFrames {
  readonly parts: Uint8Array[] = []
  readonly muxer = new TsMuxer({ consume: (bytes, length) => void this.parts.push(bytes.slice(0, length)) })

  override frame(frame: Parameters<HeldFrames['frame']>[0]): void {
    super.frame(frame)
    this.muxer.push(frame)
  }
}

const streams = [
  ...clips().filter(({ name }) => !name.startsWith('mpeg2')),
  { name: 'built, with B pictures', bytes: buildTs({ durationS: 4, video: { bFrames: 2 } }).bytes },
  { name: 'built, of H.265', bytes: buildTs({ durationS: 4, video: { codec: 'h265' } }).bytes },
]

for (const { name, bytes } of streams) {
  test(`${name}: TS to FLV to TS keeps slices, audio frames and distances in time`, () => {
    const source = demux(bytes)
    const muxed = new Muxed()
    const reader = new FlvReader(muxed)
    const writer = new FlvWriter({
      tag: ({ type, timestampMs, bytes: body, start, end }) => reader.push(type, timestampMs, body.slice(start, end)),
      leftOut: () => assert.fail(),
    })
    for (const track of source.tracks) writer.track(track)
    for (const frame of source.frames) writer.frame(frameOf(frame))
    writer.flush()
    muxed.muxer.flush()
    const again = demux(new Uint8Array(Buffer.concat(muxed.parts)))
    for (const kind of ['video', 'audio'] as const) assertSame(muxed.of(kind), again.of(kind))
    assert.ok(again.frames.length > 50)
  })
}

function frameOf({ units: list, ...frame }: HeldFrame) {
  const units = new Int32Array(list.length * 2)
  let at = 0
  for (const [index, { length }] of list.entries()) {
    units[index * 2] = at
    at += length
    units[index * 2 + 1] = at
  }
  return { ...frame, bytes: new Uint8Array(Buffer.concat(list)), units, unitCount: list.length }
}

function assertSame(before: readonly HeldFrame[], after: readonly HeldFrame[]): void {
  assert.equal(after.length, before.length)
  for (const [at, frame] of after.entries()) {
    const was = before[at]!
    assert.deepEqual(slicesOf(frame), slicesOf(was), `${at}`)
    assert.equal(frame.isRandomAccess, was.isRandomAccess)
    const offset = after[0]!.pts90k - before[0]!.pts90k
    assert.ok(Math.abs(frame.pts90k - offset - was.pts90k) <= 2 * MS_90K, `PTS of ${at}`)
  }
}

/** Delimiters and parameter sets are the muxer's own. */
function slicesOf({ track, units }: HeldFrame): readonly Uint8Array[] {
  if (track.kind === 'audio') return units
  const isSlice = (first: number): boolean =>
    track.codec === 'h264' ? (first & 0x1f) >= 1 && (first & 0x1f) <= 5 : ((first >>> 1) & 0x3f) < 32
  return units.filter((unit) => isSlice(unit[0]!))
}
