import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Framer } from './framer.js'
import { LAST_OF_PID, PSI, PSI_CHANGE, RANDOM_ACCESS, SCRAMBLED, TRANSPORT_ERROR, UNIT_START } from './marks.js'
import { PACKET_SIZE } from './packet.js'
import { AUDIO_PID, IDR, joined, packetOf, pesOf, recordsOf, SETS, tablesOf, VIDEO_PID } from './packets.test.kit.js'

const RANDOM_ACCESS_FIELD = [0x40]

function video(
  counter: number,
  plan: { key?: boolean; start?: boolean; idr?: boolean; scrambled?: boolean } = {},
): Uint8Array {
  const { key = false, start = key, idr = key, scrambled = false } = plan
  const unit = [...(start ? SETS : []), ...(idr ? IDR : [])]
  const payload = start ? pesOf(0xe0, 1000, 0, unit) : unit
  const field = key ? { field: RANDOM_ACCESS_FIELD } : {}
  return packetOf({ pid: VIDEO_PID, counter, unitStart: start, payload, scrambled, ...field })
}

function audio(counter: number): Uint8Array {
  return packetOf({ pid: AUDIO_PID, counter })
}

test('the tables directly before a key picture start its chunk', () => {
  const framer = new Framer()
  const chunks = framer.push(
    joined(tablesOf(0), video(0, { key: true }), audio(0), tablesOf(1), video(1, { key: true })),
    5,
  )
  assert.equal(chunks.length, 1)
  assert.deepEqual(
    recordsOf(chunks[0]!).map(({ packet, flags }) => [packet, flags]),
    [
      [0, UNIT_START | PSI | PSI_CHANGE | LAST_OF_PID],
      [1, UNIT_START | PSI | PSI_CHANGE | LAST_OF_PID],
      [2, UNIT_START | RANDOM_ACCESS | LAST_OF_PID],
      [3, LAST_OF_PID],
    ],
  )
  const [second] = framer.flush(6)
  assert.equal(second?.bytes.length, 3 * PACKET_SIZE)
  assert.equal(second?.randomAccess, true)
  assert.equal(second?.receivedAtMs, 5)
})

test('tables not directly before the key picture stay in the previous chunk', () => {
  const framer = new Framer()
  const [first] = framer.push(
    joined(tablesOf(0), video(0), audio(0), tablesOf(1), audio(1), video(1, { key: true })),
    0,
  )
  assert.equal(first?.bytes.length, 7 * PACKET_SIZE)
})

test('a picture decided by a later packet of its PID is cut where it began', () => {
  const framer = new Framer()
  const head = joined(tablesOf(0), video(0), video(1, { start: true }), audio(0), video(2))
  assert.equal(framer.push(head, 0).length, 0)
  const [first] = framer.push(joined(video(3, { idr: true }), audio(1)), 1)
  assert.equal(first?.bytes.length, 3 * PACKET_SIZE)
  assert.equal(framer.finish(2)[0]?.randomAccess, true)
})

test('an undecided picture waits for one flush, not for two; then it starts without what came before', () => {
  const framer = new Framer()
  framer.push(joined(tablesOf(0), audio(0), video(0, { start: true }), video(1)), 0)
  assert.equal(framer.flush(50)[0]?.bytes.length, 3 * PACKET_SIZE)
  assert.equal(framer.flush(100)[0]?.bytes.length, 2 * PACKET_SIZE)
  framer.push(video(2, { idr: true }), 101)
  assert.deepEqual(framer.flush(120), [], 'what a reader that starts inside a packet gets is the packets after it')
  framer.push(video(3), 121)
  const [chunk] = framer.flush(150)
  assert.deepEqual([chunk?.randomAccess, chunk?.head?.startsInside], [true, true])
})

test('an undecided picture is given up after 64 packets', () => {
  for (const [between, expected] of [
    [60, false],
    [70, true],
  ] as const) {
    const framer = new Framer()
    const others = Array.from({ length: between }, (_, counter) => audio(counter))
    framer.push(joined(tablesOf(0), audio(15), video(0, { start: true }), ...others, video(1, { idr: true })), 0)
    const chunk = framer.finish(0).at(-1)
    assert.deepEqual([chunk?.randomAccess, chunk?.head?.startsInside ?? false], [true, expected])
  }
})

test('a scrambled picture is decided by the indicator, not by its bytes', () => {
  for (const [plan, expected] of [
    [{ key: true, scrambled: true }, true],
    [{ start: true, idr: true, scrambled: true }, false],
  ] as const) {
    const framer = new Framer()
    framer.push(joined(tablesOf(0), video(0, plan)), 0)
    const [chunk] = framer.flush(0)
    assert.equal(chunk?.randomAccess, expected)
    assert.equal(recordsOf(chunk!).at(-1)!.flags & SCRAMBLED, SCRAMBLED)
  }
})

test('the bytes of a damaged packet decide nothing', () => {
  const framer = new Framer()
  const damaged = packetOf({ pid: VIDEO_PID, counter: 1, payload: IDR, transportError: true })
  framer.push(joined(tablesOf(0), video(0, { start: true }), damaged, audio(0)), 0)
  const [chunk] = framer.finish(0)
  assert.equal(chunk?.randomAccess, false)
  assert.deepEqual(
    recordsOf(chunk!)
      .filter(({ packet }) => packet === 3)
      .map(({ flags }) => flags),
    [TRANSPORT_ERROR],
  )
})

test('there are no random access points before the tables', () => {
  const framer = new Framer()
  framer.push(joined(video(0, { key: true }), audio(0), video(1, { key: true, idr: true }), audio(1)), 0)
  assert.deepEqual(
    framer.finish(0).map(({ randomAccess }) => randomAccess),
    [false],
  )
})

test('chunks own their bytes', () => {
  const framer = new Framer()
  const bytes = joined(tablesOf(0), video(0, { key: true }), audio(0))
  framer.push(bytes, 0)
  const [chunk] = framer.flush(0)
  const before = chunk!.bytes.slice()
  bytes.fill(0)
  framer.push(joined(audio(1), audio(2), audio(3)), 1)
  assert.deepEqual(chunk!.bytes, before)
})
