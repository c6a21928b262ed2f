import assert from 'node:assert/strict'
import { test } from 'node:test'
import { otherFormat } from './other-format.js'

for (const [name, head] of [
  ['Matroska or WebM', [0x1a, 0x45, 0xdf, 0xa3, 1, 0, 0, 0]],
  ['MP4 or QuickTime', [0, 0, 0, 32, ...Buffer.from('ftypisom')]],
  ['FLV', [...Buffer.from('FLV'), 1, 5]],
  ['AVI or WAV', [...Buffer.from('RIFF'), 1, 2, 3, 4]],
  ['a playlist', [...Buffer.from('#EXTM3U\n')]],
  [undefined, [0x47, 0x40, 0, 0x10]],
  [undefined, [0x1a, 0x45]],
  [undefined, []],
] as const) {
  test(`${name ?? 'nothing'} begins with ${Buffer.from(head).toString('hex')}`, () => {
    assert.equal(otherFormat(Uint8Array.from(head)), name)
  })
}
