import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkPackets, SimulatedViewers } from './simulated-viewers.test.kit.js'

const PAYLOAD_BYTES = 1316

describe('a stream that is sent to viewers', () => {
  test('begins with tables and a key frame, and comes whole', async () => {
    await using bench = new SimulatedViewers()
    await bench.play(500)
    const viewer = await bench.call()
    await bench.play(3000)
    await bench.run(500)
    const { packets, announced, errors } = checkPackets(viewer.received)
    assert.deepEqual([announced, errors, bench.skipped.length], [0, 0, 0])
    assert.equal(viewer.received[0]![2], 0, 'it begins with the PAT')
    // From the key frame after the first second on.
    assert.ok(packets * 188 > bench.played * 0.7 && packets * 188 < bench.played * 0.8, `${packets} packets`)
  })

  for (const batchMs of [20, 40, 100]) {
    test(`leaves evenly although it comes in batches of ${batchMs} ms, and late by little more than a batch`, async () => {
      await using bench = new SimulatedViewers(10_000, 4)
      const viewer = await bench.call()
      await bench.play(2000, batchMs)
      const fromMs = bench.clock.nowMs()
      bench.serverPort.sent.length = 0
      await bench.play(2000, batchMs)
      const perTick = new Map<number, number>()
      for (const { atMs, bytes, isControl } of bench.serverPort.sent) {
        const tick = Math.floor((atMs - fromMs) / 10)
        if (!isControl) perTick.set(tick, (perTick.get(tick) ?? 0) + bytes)
      }
      const sizes = [...perTick.values()]
      // 10 ms of 4 Mbit/s are 5000 bytes; with headers, and the rest of a payload.
      assert.ok(Math.max(...sizes) < 5000 * 1.1 + 2 * PAYLOAD_BYTES, `${Math.max(...sizes)} bytes in 10 ms`)
      assert.ok(perTick.size > 190, `${perTick.size} ticks of 200 have datagrams`)
      assert.ok(bench.broadcast.waitMs <= batchMs + 10, `packets wait ${bench.broadcast.waitMs} ms`)
      assert.deepEqual(checkPackets(viewer.received).errors, 0)
    })
  }

  test('is cut into whole packets that fit what a viewer takes', async () => {
    await using bench = new SimulatedViewers()
    const [small, large] = [await bench.call({ mtu: 1300 }), await bench.call()]
    await bench.play(2500)
    await bench.run(500)
    assert.equal(Math.max(...small.received.map(({ length }) => length)), 6 * 188)
    assert.equal(Math.max(...large.received.map(({ length }) => length)), 7 * 188)
    assert.deepEqual(Buffer.concat(small.received), Buffer.concat(large.received))
    assert.equal(checkPackets(small.received).errors, 0)
  })

  test('goes on at a key frame, announced, for a viewer for whom packets were too late; no other one notices', async () => {
    await using bench = new SimulatedViewers()
    const [cut, other] = [await bench.call(), await bench.call()]
    await bench.play(2000)
    // For three seconds, nothing passes to it or from it.
    cut.port.isSilent = true
    cut.port.handler = undefined
    await bench.play(3000)
    assert.ok(cut.receiver.skips > 0 && cut.receiver.skippedBytes > 0)
    assert.deepEqual(new Set(bench.skipped), new Set([cut.receiver]))
    assert.equal(other.receiver.skips, 0)
    await bench.run(500)
    assert.equal(checkPackets(other.received).errors, 0)
  })

  test('comes from the window again when packets are lost, and costs a viewer nothing but positions', async () => {
    await using bench = new SimulatedViewers()
    const viewer = await bench.call({ latencyMs: 1000 })
    await bench.play(1500)
    const { handler } = viewer.port
    for (let turn = 0; turn < 10; turn++) {
      // 40 ms of the stream are lost, and come again.
      viewer.port.handler = undefined
      await bench.play(40)
      viewer.port.handler = handler
      await bench.play(200)
    }
    await bench.run(1500)
    const { send } = viewer.receiver.connection.stats()
    assert.ok(send.retransmitted > 30, `${send.retransmitted} sent again`)
    assert.deepEqual([send.dropped, viewer.receiver.skips], [0, 0])
    assert.deepEqual(checkPackets(viewer.received), { ...checkPackets(viewer.received), announced: 0, errors: 0 })
  })

  test('counts what has left the window as too late', async () => {
    await using bench = new SimulatedViewers(1000)
    const viewer = await bench.call({ latencyMs: 8000 })
    await bench.play(1500)
    const { handler } = viewer.port
    viewer.port.handler = undefined
    viewer.port.isSilent = true
    await bench.play(2500)
    viewer.port.handler = handler
    viewer.port.isSilent = false
    await bench.play(3000)
    await bench.run(9000)
    assert.ok(viewer.receiver.connection.stats().send.dropped > 0)
    assert.ok(viewer.receiver.skips >= 1)
    const { announced, errors } = checkPackets(viewer.received)
    assert.ok(announced > 0 && errors <= 4 * viewer.receiver.skips, `${announced} announced, ${errors} errors`)
  })

  test('reaches 200 viewers over one socket, whatever one of them does not read', async () => {
    await using bench = new SimulatedViewers(10_000, 1)
    const viewers = await bench.callMany(200)
    const [silent, ...others] = viewers
    silent!.port.isSilent = true
    silent!.port.handler = undefined
    await bench.play(2200)
    await bench.run(300)
    assert.ok(silent!.receiver.skips > 0)
    const first = Buffer.concat(others[0]!.received)
    assert.ok(first.length > 100_000 && checkPackets(others[0]!.received).errors === 0)
    for (const { received, receiver } of others) {
      assert.equal(receiver.skips, 0)
      assert.ok(Buffer.concat(received).equals(first))
    }
  })

  test('is skipped without a timer while nobody watches', async () => {
    await using bench = new SimulatedViewers()
    await bench.play(1000)
    assert.deepEqual([bench.window.nextOffset, bench.broadcast.queuedBytes], [0, 0])
    const viewer = await bench.call()
    await bench.play(2000)
    viewer.connection.end()
    await bench.play(500)
    const { nextOffset } = bench.window
    assert.ok(nextOffset > 0)
    await bench.play(1000)
    assert.ok(bench.window.nextOffset - nextOffset < 10_000)
  })
})
