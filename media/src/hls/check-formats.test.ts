import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFormats } from './check-formats.js'

test('RESOLUTION is the size at which a picture is shown, or at which it is coded', () => {
  const formats = [{ codec: 'h264', name: 'avc1.4d401e', width: 720, height: 576, sampleAspect: 16 / 11 }]
  const facts = { tracks: [], formats, hasTables: true, captions: [] }
  for (const [resolution, rules] of [
    ['1047x576', []],
    ['720x576', []],
    ['1280x720', ['resolution-differs']],
  ] as const) {
    const found = checkFormats(facts, { codecs: undefined, resolution })
    assert.deepEqual(
      found.map(({ rule }) => rule),
      rules,
      resolution,
    )
  }
})
