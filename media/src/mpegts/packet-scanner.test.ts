import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTINUITY_ERROR, DISCONTINUITY_INDICATOR, HAS_PCR, SCRAMBLED, TRANSPORT_ERROR, UNIT_START } from './marks.js'
import { PacketScanner } from './packet-scanner.js'
import { NULL_PID, PACKET_SIZE } from './packet.js'
import { joined, packetOf } from './packets.test.kit.js'
import type { PacketPlan } from './packets.test.kit.js'
import { ProgramTable } from './program-table.js'

const DI = [0x80]
const pid = 0x100

const cases: readonly { name: string; packets: readonly Omit<PacketPlan, 'pid'>[]; flags: readonly number[] }[] = [
  { name: 'counters wrap from 15 to 0', packets: [{ counter: 14 }, { counter: 15 }, { counter: 0 }], flags: [0, 0, 0] },
  { name: 'any counter may be the first', packets: [{ counter: 9 }], flags: [0] },
  { name: 'a lost packet', packets: [{ counter: 1 }, { counter: 3 }, { counter: 4 }], flags: [0, CONTINUITY_ERROR, 0] },
  { name: 'one duplicate is legal', packets: [{ counter: 1 }, { counter: 1 }, { counter: 2 }], flags: [0, 0, 0] },
  {
    name: 'each further duplicate is an error',
    packets: [{ counter: 1 }, { counter: 1 }, { counter: 1 }, { counter: 1 }, { counter: 2 }],
    flags: [0, 0, CONTINUITY_ERROR, CONTINUITY_ERROR, 0],
  },
  {
    name: 'the same counter with another payload is not a duplicate',
    packets: [{ counter: 1 }, { counter: 1, payload: [1] }, { counter: 2 }],
    flags: [0, CONTINUITY_ERROR, 0],
  },
  {
    name: 'a duplicate may have another PCR',
    packets: [
      { counter: 1, field: [0x10, 0, 0, 0, 1, 0, 0] },
      { counter: 1, field: [0x10, 0, 0, 0, 2, 0, 0] },
      { counter: 2 },
    ],
    flags: [HAS_PCR, HAS_PCR, 0],
  },
  {
    name: 'packets without payload do not count',
    packets: [{ counter: 1 }, { counter: 1, payload: false }, { counter: 1, payload: false }, { counter: 2 }],
    flags: [0, 0, 0, 0],
  },
  {
    name: 'discontinuity_indicator allows any counter',
    packets: [{ counter: 1 }, { counter: 9, field: DI }, { counter: 10 }],
    flags: [0, DISCONTINUITY_INDICATOR, 0],
  },
  {
    name: 'discontinuity_indicator without payload sets the counter that precedes the next',
    packets: [{ counter: 1 }, { counter: 8, field: DI, payload: false }, { counter: 9 }],
    flags: [0, DISCONTINUITY_INDICATOR, 0],
  },
  {
    name: 'a packet with a transport error is not a lost one',
    packets: [{ counter: 1 }, { counter: 2, transportError: true }, { counter: 3 }],
    flags: [0, TRANSPORT_ERROR, 0],
  },
  {
    name: 'a transport error does not hide the loss of another packet',
    packets: [{ counter: 1 }, { counter: 7, transportError: true }, { counter: 3 }],
    flags: [0, TRANSPORT_ERROR, CONTINUITY_ERROR],
  },
  {
    name: 'scrambled packets count',
    packets: [
      { counter: 1, scrambled: true },
      { counter: 3, scrambled: true, unitStart: true },
    ],
    flags: [SCRAMBLED, SCRAMBLED | CONTINUITY_ERROR | UNIT_START],
  },
  {
    name: 'a unit start without payload is ignored',
    packets: [{ counter: 1, unitStart: true, payload: false }],
    flags: [0],
  },
  { name: 'a PCR that does not fit is ignored', packets: [{ counter: 1, field: [0x10, 0, 0] }], flags: [0] },
]

for (const { name, packets, flags } of cases) {
  test(name, () => {
    const bytes = joined(...packets.map((packet) => packetOf({ pid, ...packet })))
    const scanner = new PacketScanner(new ProgramTable())
    assert.deepEqual(
      packets.map((_, index) => scanner.scan(bytes, index * PACKET_SIZE)),
      flags,
    )
  })
}

test('null packets are never wrong', () => {
  const scanner = new PacketScanner(new ProgramTable())
  for (const counter of [0, 0, 0, 7, 3]) assert.equal(scanner.scan(packetOf({ pid: NULL_PID, counter }), 0), 0)
  assert.equal(scanner.seenCount, 0)
})

test('the last offset of each PID moves with the buffer', () => {
  const bytes = joined(...[0x20, 0x21, 0x20].map((other, index) => packetOf({ pid: other, counter: index >> 1 })))
  const scanner = new PacketScanner(new ProgramTable())
  for (let offset = 0; offset < bytes.length; offset += PACKET_SIZE) scanner.scan(bytes, offset)
  assert.deepEqual([scanner.seenCount, scanner.lastOffset[0x20], scanner.lastOffset[0x21]], [2, 376, 188])
  scanner.shift(2 * PACKET_SIZE)
  assert.deepEqual(
    [scanner.seenCount, scanner.seen[0], scanner.lastOffset[0x20], scanner.lastOffset[0x21]],
    [1, 0x20, 0, -1],
  )
})
