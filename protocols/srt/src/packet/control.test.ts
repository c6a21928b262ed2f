import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseAck, parseDropRequest, readNak, renderDropRequest, renderFullAck, renderNak } from './control.js'
import { HEADER_BYTES } from './header.js'

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

function rangesOf(packet: Uint8Array): [number, number][] {
  const ranges: [number, number][] = []
  readNak(packet, (first, last) => ranges.push([first, last]))
  return ranges
}

const HEADER = '00'.repeat(HEADER_BYTES)

describe('an ACK', () => {
  test('has seven words, the first of which are read back', () => {
    const packet = renderFullAck({
      sequence: 0x4e27a377,
      rttUs: 100_000,
      rttVarianceUs: 50_000,
      freePackets: 8182,
      packetsPerSecond: 1,
      capacity: 2,
      bytesPerSecond: 3,
    })
    const hex = Buffer.from(packet)
      .toString('hex')
      .slice(HEADER_BYTES * 2)
    assert.equal(hex, '4e27a377000186a00000c35000001ff6000000010000000200000003')
    assert.deepEqual(parseAck(packet), {
      sequence: 0x4e27a377,
      rttUs: 100_000,
      rttVarianceUs: 50_000,
      freePackets: 8182,
    })
  })

  test('may be light, and is refused if shorter', () => {
    assert.deepEqual(parseAck(bytesOf(`${HEADER}00000007`)), {
      sequence: 7,
      rttUs: 0,
      rttVarianceUs: 0,
      freePackets: undefined,
    })
    assert.equal(parseAck(bytesOf(`${HEADER}000000`)), undefined)
  })
})

describe('a loss report', () => {
  test('has one word for a single packet and two for a range', () => {
    const packet = renderNak([1, 1, 5, 9, 0x7fff_fffe, 2], 0, 3)
    assert.equal(Buffer.from(packet).toString('hex'), `${HEADER}000000018000000500000009fffffffe00000002`)
    assert.deepEqual(rangesOf(packet), [
      [1, 1],
      [5, 9],
      [0x7fff_fffe, 2],
    ])
  })

  test('renders some of many ranges', () => {
    assert.deepEqual(rangesOf(renderNak([1, 1, 5, 9, 20, 21], 1, 1)), [[5, 9]])
  })

  test('ends with a range whose last number is missing', () => {
    assert.deepEqual(rangesOf(bytesOf(`${HEADER}0000000180000005`)), [[1, 1]])
    assert.deepEqual(rangesOf(bytesOf(`${HEADER}00000001800000`)), [[1, 1]])
  })
})

test('a drop request has two numbers, and is refused if shorter', () => {
  assert.deepEqual(parseDropRequest(renderDropRequest(7, 9)), { first: 7, last: 9 })
  assert.equal(parseDropRequest(bytesOf(`${HEADER}00000007`)), undefined)
})
