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

function chunks(bytes: Uint8Array = stream): readonly TsChunk[] {
  const framer = new Framer()
  return [...framer.push(bytes, 0), ...framer.finish(0)]
}

/** Counters that do not follow, and whose discontinuity is not announced. */
function continuityErrors(bytes: Uint8Array): number {
  const framer = new Framer()
  let errors = 0
  for (const { marks } of [...framer.push(bytes, 0), ...framer.finish(0)])
    for (let at = MARK_FLAGS; at < marks.length; at += MARK_SIZE) if ((marks[at]! & CONTINUITY_ERROR) !== 0) errors++
  return errors
}

interface Sent {
  readonly bytes: Uint8Array
  readonly atMs: number
}

/** The datagrams that the output sends of these chunks, which come `everyMs`, without sockets. */
async function datagramsOf(
  given: readonly AnyChunk[],
  pace: 'pcr' | 'none',
  everyMs: number,
): Promise<readonly Sent[]> {
  const datagrams: Sent[] = []
  const clock = new FakeClock()
  const socket: Partial<UdpSocket> = {
    sendBufferBytes: 2 ** 30,
    queuedBytes: 0,
    send: (datagram) => void datagrams.push({ bytes: datagram.slice(), atMs: clock.nowMs() }),
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
    clock.advance(everyMs)
    arriving.next({ ...chunk, receivedAtMs: clock.nowMs() })
  }
  for (let ms = 0; ms < 5000; ms += 5) clock.advance(5)
  subscription.unsubscribe()
  return datagrams
}

async function sent(given: readonly AnyChunk[], pace: 'pcr' | 'none'): Promise<Buffer> {
  return Buffer.concat((await datagramsOf(given, pace, 200)).map(({ bytes }) => bytes))
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

test('a burst of 200 ms leaves as evenly as its clock runs; without pacing, at once', async () => {
  const burst = chunks(buildTs({ durationS: 0.2, video: { gopFrames: 5, bitrate: 4e6 } }).bytes)
  const perTick = async (pace: 'pcr' | 'none'): Promise<readonly number[]> => {
    const counts = new Map<number, number>()
    for (const { atMs } of await datagramsOf(burst, pace, 0)) counts.set(atMs, (counts.get(atMs) ?? 0) + 1)
    return [...counts.values()]
  }
  const [total = 0, ...others] = await perTick('none')
  assert.deepEqual(others, [])
  const paced = await perTick('pcr')
  assert.equal(
    paced.reduce((sum, count) => sum + count, 0),
    total,
  )
  // Between two PCRs, 40 ms, packets are as far apart as they can be.
  assert.ok(Math.max(...paced) < total / 8, `${Math.max(...paced)} of ${total} datagrams in one tick`)
})
