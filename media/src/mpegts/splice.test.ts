import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { splitAtStart } from './edit-chunk.js'
import { RANDOM_ACCESS } from './marks.js'
import { hasRandomAccessIndicator, PACKET_SIZE, payloadOffset, readCounter, readPid } from './packet.js'
import { AUDIO_PID, chunkOf, joined, packetOf, PMT_PID, tablesOf, VIDEO_PID } from './packets.test.kit.js'
import { pesHeaderEnd, pesPacketLength, readDts, readPts } from './pes.js'
import { SpliceTracker } from './splice.js'

function listOf(packets: Uint8Array): number[][] {
  const list: number[][] = []
  for (let at = 0; at < packets.length; at += PACKET_SIZE) list.push([readPid(packets, at), readCounter(packets, at)])
  return list
}

const chunk = chunkOf(
  tablesOf(4),
  packetOf({ pid: VIDEO_PID, counter: 15 }),
  packetOf({ pid: AUDIO_PID, counter: 7 }),
  tablesOf(5),
)

test('the preamble is PAT and PMT, with the counters that precede the next ones', () => {
  const tracker = new SpliceTracker()
  tracker.follow(chunk)
  assert.deepEqual(tracker.preamble(), tablesOf(5))
})

test('the bridge announces the discontinuity of each PID, followed by the preamble', () => {
  const tracker = new SpliceTracker()
  tracker.follow(chunk)
  const bridge = tracker.bridge()
  assert.deepEqual(listOf(bridge), [
    [VIDEO_PID, 15],
    [AUDIO_PID, 7],
    [0, 4],
    [PMT_PID, 4],
    [0, 5],
    [PMT_PID, 5],
  ])
  for (let at = 0; at < 4 * PACKET_SIZE; at += PACKET_SIZE) {
    assert.deepEqual(
      [...bridge.subarray(at + 3, at + 7)].map((byte, index) => (index === 0 ? byte & 0xf0 : byte)),
      [0x20, 183, 0x80, 0xff],
    )
  }
})

test('if there are too many PIDs, those in the tables are bridged', () => {
  const tracker = new SpliceTracker()
  const junk = Array.from({ length: 400 }, (_, index) => packetOf({ pid: 0x200 + index, counter: 0 }))
  tracker.follow(chunkOf(...junk))
  tracker.follow(chunk)
  const bridge = listOf(tracker.bridge())
  assert.equal(bridge.length, 256 + 2)
  for (const pid of [0, PMT_PID, VIDEO_PID, AUDIO_PID]) assert.ok(bridge.some(([found]) => found === pid))
})

test('null packets are not bridged', () => {
  const tracker = new SpliceTracker()
  const nulls = packetOf({ pid: 0x1fff, counter: 0 })
  tracker.follow(chunkOf(joined(nulls, nulls, nulls)))
  assert.equal(tracker.bridge().length, 0)
})

test('the head of a chunk is one PES packet, with the counters that precede those of its PID', () => {
  const tracker = new SpliceTracker()
  tracker.follow(chunk)
  const next = chunkOf(packetOf({ pid: AUDIO_PID, counter: 8 }), packetOf({ pid: VIDEO_PID, counter: 0 }))
  const elementary = Uint8Array.from({ length: 300 }, (_, index) => index & 0x7f)
  for (const [startsInside, dts90k] of [
    [false, 8_000_000_000],
    [true, -1],
  ] as const) {
    const head = { pid: VIDEO_PID, elementary, startsInside, pts90k: dts90k < 0 ? -1 : 9, dts90k }
    const preamble = tracker.preamble({ ...next, head })
    assert.deepEqual(listOf(preamble).slice(2), [
      [VIDEO_PID, 14],
      [VIDEO_PID, 15],
    ])
    const bridge = tracker.bridge({ ...next, head })
    assert.deepEqual(listOf(bridge)[0], [VIDEO_PID, 13])
    const packets = [2, 3].map((index) => preamble.subarray(index * PACKET_SIZE, (index + 1) * PACKET_SIZE))
    const pes = joined(...packets.map((packet) => packet.subarray(payloadOffset(packet, 0))))
    assert.deepEqual(pes.subarray(pesHeaderEnd(pes, 0, pes.length)), elementary)
    assert.equal(pesPacketLength(pes, 0, pes.length), startsInside ? 0 : pes.length - 6)
    assert.deepEqual([readPts(pes, 0, pes.length), readDts(pes, 0, pes.length)], [head.pts90k, dts90k])
    assert.ok(hasRandomAccessIndicator(packets[0]!, 0))
  }
})

test('a chunk that begins inside a packet is split behind it', () => {
  const head = { pid: VIDEO_PID, elementary: Uint8Array.of(1), startsInside: true, pts90k: -1, dts90k: -1 }
  const packets = [packetOf({ pid: AUDIO_PID, counter: 8 }), packetOf({ pid: VIDEO_PID, counter: 0 })]
  const marks = Int32Array.of(PACKET_SIZE, VIDEO_PID, RANDOM_ACCESS, 0)
  const whole = { ...chunkOf(...packets, packetOf({ pid: VIDEO_PID, counter: 1 })), marks, head }
  const parts = splitAtStart(whole)
  assert.deepEqual([parts?.before.bytes.length, parts?.rest?.bytes.length], [2 * PACKET_SIZE, PACKET_SIZE])
  assert.equal(parts?.rest?.head, head)
  assert.equal(splitAtStart({ ...chunkOf(...packets), marks, head })?.rest, undefined)
  assert.equal(splitAtStart({ ...whole, head: { ...head, startsInside: false } }), undefined)
})

test('a point gives what its tracker would have given there, however far that has gone on', () => {
  const step = fc.record({
    pids: fc.array(fc.integer({ min: 0x20, max: 0x2f }), { maxLength: 6 }),
    tables: fc.option(fc.record({ counter: fc.nat(15), hasVideo: fc.boolean() }), { nil: undefined }),
    head: fc.boolean(),
    many: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const tracker = new SpliceTracker()
      const counters = new Map<number, number>()
      const points = steps.map(({ pids, tables, head, many }) => {
        const all = many ? [...pids, ...Array.from({ length: 300 }, (_, index) => 0x300 + index)] : pids
        const packets = all.map((pid) => {
          const counter = ((counters.get(pid) ?? 0) + 1) & 15
          counters.set(pid, counter)
          return packetOf({ pid, counter })
        })
        if (tables !== undefined) packets.unshift(tablesOf(tables.counter, tables.hasVideo))
        const next = chunkOf(...packets, packetOf({ pid: VIDEO_PID, counter: 3 }))
        const elementary = Uint8Array.of(0, 0, 1, 9)
        const times = { pts90k: 1, dts90k: -1 }
        const chunk = head ? { ...next, head: { pid: VIDEO_PID, elementary, startsInside: false, ...times } } : next
        const made = { point: tracker.point(chunk), preamble: tracker.preamble(chunk), bridge: tracker.bridge(chunk) }
        tracker.follow(next)
        return made
      })
      for (const { point, preamble, bridge } of points) {
        assert.deepEqual(point.preamble(), preamble)
        assert.deepEqual(point.bridge(), bridge)
        assert.ok(point.heldBytes > 0)
      }
    }),
    { numRuns: 60 },
  )
})
