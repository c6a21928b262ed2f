// The sample messages of ANSI/SCTE 35, section 14.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32Mpeg } from '../mpegts/crc32.js'
import { parseSpliceInfo, type SpliceInfo } from './splice-info.js'

const NONE = { insert: undefined, segmentations: [] }
const ROWS: readonly { readonly name: string; readonly base64: string; readonly expected: SpliceInfo }[] = [
  {
    name: '14.1 time_signal, placement opportunity start',
    base64: '/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==',
    expected: {
      ...{ ...NONE, command: 'time', pts90k: 0x72bd0050 },
      segmentations: [{ eventId: 0x4800008e, isCancelled: false, type: 0x34, duration90k: 0x1a599b0 }],
    },
  },
  {
    name: '14.2 splice_insert',
    base64: '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=',
    expected: {
      ...{ ...NONE, command: 'insert', pts90k: 0x7369c02e },
      insert: { eventId: 0x4800008f, isCancelled: false, isOut: true, break90k: 0x52ccf5, isAutoReturn: true },
    },
  },
  {
    name: '14.3 time_signal, placement opportunity end',
    base64: '/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=',
    expected: {
      ...{ ...NONE, command: 'time', pts90k: 0x746290a0 },
      segmentations: [{ eventId: 0x4800008e, isCancelled: false, type: 0x35, duration90k: undefined }],
    },
  },
]

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}

/** With a right CRC. */
function signed(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice()
  new DataView(out.buffer).setUint32(out.length - 4, crc32Mpeg(out, 0, out.length - 4))
  return out
}

describe('the sample messages of the standard', () => {
  for (const { name, base64, expected } of ROWS) {
    test(name, () => assert.deepEqual(parseSpliceInfo(bytesOf(base64)), expected))
  }
})

test('times are moved by pts_adjustment, on the 33-bit clock', () => {
  const bytes = bytesOf(ROWS[1]!.base64)
  bytes.set([0x01, 0xff, 0xff, 0xff, 0xff], 4)
  assert.equal(parseSpliceInfo(signed(bytes))?.pts90k, 0x7369c02e - 1)
})

test('a wrong CRC, another version or table, and encrypted commands are nothing', () => {
  const good = bytesOf(ROWS[0]!.base64)
  for (const [at, value] of [
    [20, 0xff],
    [0, 0xfd],
  ] as const) {
    const bytes = good.slice()
    bytes[at] = value
    assert.equal(parseSpliceInfo(bytes), undefined)
  }
  for (const [at, value] of [
    [3, 1],
    [4, 0x80],
  ] as const) {
    const bytes = good.slice()
    bytes[at] = value
    assert.equal(parseSpliceInfo(signed(bytes)), undefined)
  }
  for (let length = 0; length < good.length; length++) {
    assert.equal(parseSpliceInfo(good.slice(0, length)), undefined)
  }
})
