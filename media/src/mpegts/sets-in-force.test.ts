import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Lead, TsChunk } from './chunk.js'
import { RANDOM_ACCESS, UNIT_START } from './marks.js'
import { joined } from './packets.test.kit.js'
import { SetsInForce } from './sets-in-force.js'

const LEAD: Lead = { program: 1, pid: 0x100, media: 'video', codec: 'h264' }
const PES = [0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]
const DELIMITER = [0, 0, 1, 9, 0xf0]
const SLICE = [0, 0, 1, 0x41, 0x9a]

/** An SPS with id 0 whose content is the number. */
function sps(content: number): number[] {
  return [0, 0, 1, 0x67, 66, 0, 30, 0x80 | content]
}

/** A packet with the start of a unit. */
function unit(...parts: readonly number[][]): Uint8Array {
  const packet = new Uint8Array(188).fill(0xff)
  packet.set([0x47, 0x41, 0x00, 0x10, ...PES, ...parts.flat()])
  return packet
}

function chunkOf(units: readonly Uint8Array[], randomAccess = false): TsChunk {
  const flags = (index: number): number => UNIT_START | (randomAccess && index === 0 ? RANDOM_ACCESS : 0)
  return {
    kind: 'ts',
    bytes: joined(...units),
    origin: { generation: 0, seq: 0 },
    receivedAtMs: 0,
    discontinuity: false,
    randomAccess,
    lead: LEAD,
    marks: Int32Array.from(units.flatMap((_, index) => [index * 188, LEAD.pid, flags(index), 0])),
  }
}

/** The content of the SPS in force, 0 if none is known. */
function known(sets: SetsInForce): number {
  const { elementary } = sets.stored()
  return elementary.length === 0 ? 0 : elementary.at(-1)! & 0x7f
}

describe('the sets in force', () => {
  test('change where others come, with or without a random access point', () => {
    const sets = new SetsInForce()
    sets.follow(chunkOf([unit(DELIMITER, SLICE)]), true)
    assert.equal(known(sets), 0)
    sets.follow(chunkOf([unit(SLICE), unit(DELIMITER, sps(1), SLICE)]), true)
    assert.equal(known(sets), 1)
    sets.follow(chunkOf([unit(SLICE), unit(SLICE), unit(sps(2), SLICE)]), true)
    assert.equal(known(sets), 2)
    sets.follow(chunkOf([unit(sps(3), SLICE), unit(SLICE), unit(sps(4), SLICE)], true), true)
    assert.equal(known(sets), 4)
  })

  test('change at random access points alone where only those matter', () => {
    const sets = new SetsInForce()
    sets.follow(chunkOf([unit(sps(1), SLICE), unit(sps(2), SLICE)], true), false)
    sets.follow(chunkOf([unit(sps(3), SLICE)]), false)
    assert.equal(known(sets), 1)
  })

  test('are found behind what fills the first packet', () => {
    const sets = new SetsInForce()
    const rest = new Uint8Array(188).fill(0xff)
    rest.set([0x47, 0x01, 0x00, 0x11, ...sps(5), ...SLICE])
    const { marks, ...chunk } = chunkOf([unit(DELIMITER), rest])
    sets.follow({ ...chunk, marks: marks.slice(0, 4) }, true)
    assert.equal(known(sets), 5)
  })

  test('are read from no more than a few units of a chunk', () => {
    const sets = new SetsInForce()
    sets.follow(chunkOf(Array.from({ length: 1000 }, (_, index) => unit(sps((index % 100) + 1), SLICE))), true)
    assert.equal(known(sets), 4)
  })

  test('leave out for a decoder what the unit that it starts with brings', () => {
    const sets = new SetsInForce()
    sets.follow(chunkOf([unit(sps(1), SLICE)], true), true)
    const bytes = joined(unit(SLICE), unit(sps(2), SLICE))
    assert.equal(sets.headFor(LEAD, bytes, 0)?.elementary.at(-1), 0x81)
    assert.equal(sets.headFor(LEAD, bytes, 188), undefined)
  })
})
