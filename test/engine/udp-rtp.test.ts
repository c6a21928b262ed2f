// RTP over a network that swaps, doubles and loses packets, through a whole engine, by a sender of our own.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { renderRtpHeader, RTP_HEADER_BYTES } from '@millrace/media/rtp'
import { assertClean } from '../e2e/kit/assert-clean.js'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

const CLIP = buildTs({ durationS: 4, video: { gopFrames: 5, bitrate: 2e6 } }).bytes
const YAML = `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
  one:
    inputs: { main: { type: udp, address: "127.0.0.1:0", reorder: { delay: 10s } } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /live.ts } }
`

for (const { name, loses } of [
  { name: 'out of order and twice leaves viewers a stream without a fault', loses: false },
  { name: 'out of order, twice and not at all costs viewers what was lost, and no more', loses: true },
]) {
  test(`RTP that comes ${name}; all of it is counted`, async () => {
    await using live = await TestEngine.create()
    await live.start(YAML)
    await until(() => live.node('one/main').why.includes('nothing arrives'), 'it is bound')
    const { port = 0 } = live.node('one/main').details as { readonly port?: number }
    const sent = new Disturbed(CLIP, loses)
    await sent.sendTo(port, 0, 0.2)
    const viewer = await live.watch('/live.ts', 1)
    await sent.sendTo(port, 0.2, 1)
    const expected = { lost: sent.lost, reordered: sent.swapped, duplicates: sent.doubled, late: 0 }
    let counted = {}
    await until(
      async () => {
        const page = await (await fetch(`http://${live.address('api')}/metrics`)).text()
        const valueOf = (key: string): number =>
          Number(new RegExp(`^millrace_udp_rtp_${key}_total\\{.*\\} (\\d+)$`, 'm').exec(page)?.[1])
        counted = Object.fromEntries(Object.keys(expected).map((key) => [key, valueOf(key)]))
        return isDeepStrictEqual(counted, expected)
      },
      () => `${JSON.stringify(counted)} becomes ${JSON.stringify(expected)}`,
    )
    await viewer.reader.until(({ bodyBytes }) => bodyBytes > CLIP.length / 2)
    await live.engine.stop('the test is over')
    const { ts } = await viewer.reader.done()
    if (!loses) return void assertClean('the viewer', ts)
    assert.ok(ts !== undefined && ts.packets > CLIP.length / 2 / 188)
    // The packets of a datagram belong to at most three PIDs: tables, pictures and sound.
    assert.ok(ts.continuityErrors <= 3 * sent.lost, `${ts.continuityErrors} for ${sent.lost} datagrams`)
    assert.deepEqual([ts.syncErrors, ts.duplicates, ts.transportErrors], [0, 0, 0])
  })
}

/** RTP of which some packets are swapped with the next one, some are sent twice, and some never. */
class Disturbed {
  lost = 0
  swapped = 0
  doubled = 0
  readonly #datagrams: Uint8Array[] = []

  constructor(bytes: Uint8Array, loses: boolean) {
    const packets = Array.from({ length: Math.ceil(bytes.length / 1316) }, (_, sequence) => {
      const payload = bytes.subarray(sequence * 1316, (sequence + 1) * 1316)
      const packet = new Uint8Array(RTP_HEADER_BYTES + payload.length)
      renderRtpHeader(packet, { payloadType: 33, sequence, ssrc: 1, timestamp: 0, start: 0, end: 0 })
      packet.set(payload, RTP_HEADER_BYTES)
      return packet
    })
    for (let at = 0; at < packets.length; at += 10) {
      const [first, second, third, fourth, ...rest] = packets.slice(at, at + 10)
      // What is missing is given up when 32 others have come; the first packet of all begins the numbering.
      if (at % 100 !== 50 || at + 50 > packets.length) {
        this.#datagrams.push(...packets.slice(at, at + 10))
        continue
      }
      this.#datagrams.push(second!, first!, third!, third!, ...(loses ? [] : [fourth!]), ...rest)
      this.swapped++
      this.doubled++
      if (loses) this.lost++
    }
  }

  /** `from`, `to`: which part of it, from 0 to 1. */
  async sendTo(port: number, from: number, to: number): Promise<void> {
    const socket = createSocket('udp4')
    const { length } = this.#datagrams
    const part = this.#datagrams.slice(Math.floor(length * from), Math.floor(length * to))
    for (const [at, datagram] of part.entries()) {
      await new Promise<void>((resolve) => socket.send(datagram, port, '127.0.0.1', () => resolve()))
      // The receive buffer holds what one turn of the event loop does not take.
      if (at % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await new Promise<void>((resolve) => socket.close(resolve))
  }
}
