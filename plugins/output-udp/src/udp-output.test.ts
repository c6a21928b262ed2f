import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyChunk, Inlet, Options, Sockets, UdpSocket } from '@millrace/engine/plugin'
import { buildTs, FakeClock, FakeContext } from '@millrace/engine/testing'
import { CONTINUITY_ERROR, Framer, MARK_FLAGS, MARK_SIZE } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import { udpOptions, type UdpOutputOptions } from './udp-options.js'
import { UdpOutput } from './udp-output.js'

const { bytes: stream } = buildTs({ durationS: 4, video: { gopFrames: 10 } })

function chunks(): readonly TsChunk[] {
  const framer = new Framer()
  return [...framer.push(stream, 0), ...framer.finish(0)]
}

/** Counters that do not follow, and whose discontinuity is not announced. */
function continuityErrors(bytes: Uint8Array): number {
  const framer = new Framer()
  let errors = 0
  for (const { marks } of [...framer.push(bytes, 0), ...framer.finish(0)])
    for (let at = MARK_FLAGS; at < marks.length; at += MARK_SIZE) if ((marks[at]! & CONTINUITY_ERROR) !== 0) errors++
  return errors
}

/** What the output sends of these chunks, without sockets. */
async function sent(given: readonly AnyChunk[], pace: 'pcr' | 'none'): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const clock = new FakeClock()
  const socket: Partial<UdpSocket> = {
    sendBufferBytes: 2 ** 30,
    queuedBytes: 0,
    send: (datagram) => void parts.push(datagram.slice()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const sockets = { udp: () => Promise.resolve(socket as UdpSocket) } as Partial<Sockets> as Sockets
  const options = new BehaviorSubject(udpOptions.parse({ address: '127.0.0.1:9', pace, packetSize: '188B' }))
  const options$ = options as Options<UdpOutputOptions>
  const context = new FakeContext()
  await using output = await UdpOutput.open({ options$, context, clock, sockets, stream: undefined, random: () => 0 })
  const arriving = new Subject<AnyChunk>()
  const inlet: Partial<Inlet> = { chunks: arriving, pausable: false }
  const subscription = output.accept([inlet as Inlet])
  for (const chunk of given) {
    clock.advance(200)
    arriving.next({ ...chunk, receivedAtMs: clock.nowMs() })
  }
  for (let ms = 0; ms < 5000; ms += 5) clock.advance(5)
  subscription.unsubscribe()
  return Buffer.concat(parts)
}

for (const pace of ['pcr', 'none'] as const) {
  test(`what is missing is announced to receivers, and nothing else is added: pace ${pace}`, async () => {
    const all = chunks()
    const again = all.findIndex(({ randomAccess }, index) => randomAccess && index > 3)
    assert.equal(Buffer.compare(await sent(all, pace), stream), 0)
    const [first, ...rest] = all.slice(again)
    const left = [...all.slice(0, 2), { ...first!, discontinuity: 'lost' as const }, ...rest]
    const bytes = await sent(left, pace)
    assert.ok(continuityErrors(Buffer.concat(left.map((chunk) => chunk.bytes))) > 0)
    assert.equal(continuityErrors(bytes), 0)
    const tail = Buffer.concat(rest.map((chunk) => chunk.bytes))
    assert.equal(Buffer.compare(bytes.subarray(bytes.length - tail.length), tail), 0)
  })
}
