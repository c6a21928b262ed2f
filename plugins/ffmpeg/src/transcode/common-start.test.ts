import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { CommonStart } from './common-start.js'
import { InletStream } from './inlet-stream.js'
import { announcedFirst, chunksOf } from './transcode.test.kit.js'

test('what was lost while the native rendition was held is announced where it goes on', () => {
  const { bytes } = buildTs({ durationS: 3, video: { gopFrames: 25 }, audio: {} })
  const stream = new InletStream()
  const entries = chunksOf(bytes).map((chunk) => stream.push(chunk))
  const starts = entries.flatMap(({ start }, index) => (start === undefined ? [] : [index]))
  const common = new CommonStart({ outputs: 1, isFree: () => false, native: 'together', isAgain: false })
  for (const [index, entry] of entries.entries()) {
    const isLost = index > starts[0]! && index < starts[1]!
    if (!isLost) common.pushNative({ ...entry, isBreak: index === starts[1] })
  }
  common.push(0, bytes, 0)
  const native = common.open(-1, 0)?.native ?? []
  const announced = native.flatMap((piece, at) => (announcedFirst(piece).length > 0 ? [at] : []))
  assert.deepEqual(announced, [1], 'in front of the second key frame alone')
  assert.ok(announcedFirst(native[1]!).includes(0x100))
})
