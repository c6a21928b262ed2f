import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { trackOf } from './stream-types.js'

function registration(identifier: string): number[] {
  return [0x05, 4, ...new TextEncoder().encode(identifier)]
}

const rows: readonly { streamType: number; descriptors?: readonly number[]; media: string; codec: string }[] = [
  { streamType: 0x01, media: 'video', codec: 'mpeg1video' },
  { streamType: 0x02, media: 'video', codec: 'mpeg2video' },
  { streamType: 0x03, media: 'audio', codec: 'mp2' },
  { streamType: 0x04, media: 'audio', codec: 'mp2' },
  { streamType: 0x05, media: 'data', codec: '0x05' },
  { streamType: 0x06, media: 'data', codec: '0x06' },
  { streamType: 0x06, descriptors: [0x6a, 1, 0], media: 'audio', codec: 'ac3' },
  { streamType: 0x06, descriptors: [0x0a, 4, 101, 110, 103, 0, 0x7a, 1, 0], media: 'audio', codec: 'eac3' },
  { streamType: 0x06, descriptors: [0x7b, 1, 0], media: 'audio', codec: 'dts' },
  { streamType: 0x06, descriptors: [0x56, 5, 101, 110, 103, 9, 0], media: 'data', codec: 'teletext' },
  { streamType: 0x06, descriptors: [0x59, 8, 101, 110, 103, 16, 0, 1, 0, 1], media: 'data', codec: 'dvbsub' },
  { streamType: 0x06, descriptors: registration('Opus'), media: 'audio', codec: 'opus' },
  { streamType: 0x06, descriptors: [0x7f, 2, 0x80, 2], media: 'audio', codec: 'opus' },
  { streamType: 0x06, descriptors: [0x7f, 2, 0x15, 2], media: 'audio', codec: 'ac4' },
  { streamType: 0x06, descriptors: registration('HEVC'), media: 'video', codec: 'h265' },
  { streamType: 0x06, descriptors: registration('AC-3'), media: 'audio', codec: 'ac3' },
  { streamType: 0x06, descriptors: registration('KLVA'), media: 'data', codec: 'klv' },
  { streamType: 0x06, descriptors: registration('????'), media: 'data', codec: '0x06' },
  { streamType: 0x0f, media: 'audio', codec: 'aac' },
  { streamType: 0x11, media: 'audio', codec: 'aac-latm' },
  { streamType: 0x15, media: 'data', codec: 'metadata' },
  { streamType: 0x1b, media: 'video', codec: 'h264' },
  { streamType: 0x1b, descriptors: registration('CUEI'), media: 'video', codec: 'h264' },
  { streamType: 0x24, descriptors: registration('HEVC'), media: 'video', codec: 'h265' },
  { streamType: 0x81, media: 'audio', codec: 'ac3' },
  { streamType: 0x81, descriptors: registration('AC-3'), media: 'audio', codec: 'ac3' },
  { streamType: 0x86, descriptors: registration('CUEI'), media: 'data', codec: 'scte35' },
  { streamType: 0x86, media: 'data', codec: 'scte35' },
  { streamType: 0x86, descriptors: registration('DTS1'), media: 'audio', codec: 'dts' },
  { streamType: 0x87, media: 'audio', codec: 'eac3' },
  { streamType: 0xc0, media: 'data', codec: '0xc0' },
  { streamType: 0xc0, descriptors: registration('Opus'), media: 'audio', codec: 'opus' },
]

test('stream types and descriptors give media and codec', () => {
  for (const { streamType, descriptors = [], media, codec } of rows) {
    const track = trackOf({ pid: 0x101, streamType, descriptors: Uint8Array.from(descriptors) })
    const name = `0x${streamType.toString(16)} ${descriptors.join(' ')}`
    assert.deepEqual({ media: track.media, codec: track.codec }, { media, codec }, name)
  }
})

test('a track has PID, stream type and language, but no parameter sets yet', () => {
  const descriptors = Uint8Array.of(0x0a, 4, 0x64, 0x65, 0x75, 0)
  assert.deepEqual(trackOf({ pid: 0x101, streamType: 0x0f, descriptors }), {
    pid: 0x101,
    streamType: 0x0f,
    media: 'audio',
    codec: 'aac',
    language: 'deu',
    parameterSets: 0,
  })
})

test('arbitrary streams become tracks', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.uint8Array({ maxLength: 100 }), (streamType, descriptors) => {
      assert.notEqual(trackOf({ pid: 1, streamType, descriptors }).codec, '')
    }),
  )
})
