import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BitField } from './bit-field.js'
import { readFormat } from './read-format.js'

/** A stream of one sequence parameter set, 128x64, behind a delimiter. */
function h264(width: number, height: number): Uint8Array {
  const sps = new BitField([66, 8], [0, 8], [30, 8]).ue(0, 0, 2, 1).add([0, 1]).ue(7, 3)
  sps.add([1, 1], [1, 1], [0, 1], [1, 1], [1, 1], [255, 8], [width, 16], [height, 16], [0, 9], [1, 1])
  return Uint8Array.from([0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x67, ...sps.bytes, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80])
}

/** A sequence header and its extension: 4:3, 25 pictures a second. */
function mpeg2(width: number, height: number): Uint8Array {
  const header = new BitField([width, 12], [height, 12], [2, 4], [3, 4], [1000, 18], [1, 1], [100, 10], [0, 3])
  const extension = new BitField([1, 4], [0x48, 8], [1, 1], [1, 2], [0, 4], [0, 12], [1, 1], [0, 8], [0, 8])
  return Uint8Array.from([0, 0, 1, 0xb3, ...header.bytes, 0, 0, 1, 0xb5, ...extension.bytes, 0, 0, 1, 0])
}

describe('the shape of samples', () => {
  for (const [name, codec, bytes, expected] of [
    ['of H.264', 'h264', h264(64, 45), 64 / 45],
    ['of H.264 up to 16:1', 'h264', h264(16, 1), 16],
    ['of H.264 - square if it says 65535:1', 'h264', h264(65_535, 1), undefined],
    ['of H.264 - square if it says 1:65535', 'h264', h264(1, 65_535), undefined],
    ['of H.264 - square if it says 0:1', 'h264', h264(0, 1), undefined],
    ['of MPEG-2', 'mpeg2video', mpeg2(720, 576), 16 / 15],
    ['of MPEG-2 - square if the picture is a line', 'mpeg2video', mpeg2(1, 4095), undefined],
  ] as const) {
    test(name, () => {
      const format = readFormat(codec, bytes)
      assert.ok(format?.width !== undefined)
      assert.equal(format.sampleAspect?.toFixed(4), expected?.toFixed(4))
    })
  }
})
