// What senders put into datagrams: packets of a transport stream that are cut anywhere, as behind links with a small MTU.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { buildTs } from '@millrace/engine/testing'
import { SrtSocket } from '@millrace/srt/node'
import { TsChecker } from '../oracle/check-ts.js'
import { TestEngine } from './test-engine.js'

const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners: { srt: { protocol: srt, address: "127.0.0.1:0", latency: 4s } }
pipelines:
  relay:
    inputs: { pub: { type: srt, listener: srt, streams: "*", batch: 20ms } }
    transforms: { gops: { type: gop, from: pub } }
    outputs: { view: { type: srt, from: gops, listener: srt } }
`
const RATE = 1_000_000
const ENOUGH_BYTES = 100_000

test('payloads that end within packets make whole streams: 1264 and 1456 bytes, and single ones (mediamtx#4681)', async () => {
  const { bytes } = buildTs({ durationS: 30, muxRate: RATE, video: { gopFrames: 6, bitrate: RATE * 0.8 } })
  await using engine = await TestEngine.create()
  await engine.start(YAML)
  await using caller = await SrtSocket.open({ address: '127.0.0.1' })
  const call = { host: '127.0.0.1', port: Number(engine.address('srt').split(':')[1]), timeoutMs: 10_000 }
  const cuts: readonly (readonly [name: string, sizes: readonly number[]])[] = [
    ['small', [1264]],
    ['full', [1456]],
    ['odd', [1, 187, 1315, 189]],
  ]
  const publishers = await Promise.all(
    cuts.map(async ([name, sizes]) => {
      const connection = await caller.connect({ ...call, streamId: `publish:${name}` })
      return { name, sizes, connection, at: 0, turn: 0 }
    }),
  )
  const received = new Map<string, { bytes: number; readonly checker: TsChecker }>()
  const isThere = (name: string): boolean =>
    engine.engine.status().pipelines.some((pipeline) => pipeline.name === `relay@${name}`)
  const startMs = performance.now()
  while ([...received.values()].filter(({ bytes: count }) => count >= ENOUGH_BYTES).length < cuts.length) {
    await pause(20)
    const due = Math.floor(((performance.now() - startMs) * RATE) / 8000)
    assert.ok(due < bytes.length, JSON.stringify([...received].map(([name, { bytes: count }]) => [name, count])))
    for (const publisher of publishers) {
      const payloads: Uint8Array[] = []
      for (; publisher.at < due; publisher.turn++) {
        const size = publisher.sizes[publisher.turn % publisher.sizes.length]!
        payloads.push(bytes.subarray(publisher.at, publisher.at + size))
        publisher.at += size
      }
      assert.equal(publisher.connection.send(payloads), payloads.length)
      // A caller of a stream that is not there yet waits for it no longer than handshakes may take.
      if (received.has(publisher.name) || !isThere(publisher.name)) continue
      const viewer = { bytes: 0, checker: new TsChecker() }
      received.set(publisher.name, viewer)
      void caller.connect({ ...call, streamId: `read:${publisher.name}` }).then((connection) => {
        connection.onData = (batch) => {
          for (const payload of batch) {
            viewer.bytes += payload.length
            viewer.checker.push(payload)
          }
        }
      })
    }
  }
  for (const [name, { checker }] of received) {
    const { continuityErrors, syncErrors, startsWithPat } = checker.report()
    assert.deepEqual([continuityErrors, syncErrors, startsWithPat], [0, 0, true], name)
  }
  for (const { connection } of publishers) assert.equal(connection.stats().send.dropped, 0)
})
