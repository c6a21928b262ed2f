import { after } from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { contract, TestDatagramTransport, TestListeners } from '@millrace/engine/testing'
import { SrtSocket } from '@millrace/srt/node'
import type { SrtConnection, SrtConnections } from '@millrace/srt/node'
import definitions from './index.js'

const PAYLOAD_BYTES = 1316
const LATENCY_MS = 20
/** For what a busy machine has to do. */
const MOST_MS = 5000
let latest: SrtConnection | undefined
const sender = await SrtSocket.open({ address: '127.0.0.1' })
sender.listen({
  latencyMs: LATENCY_MS,
  onConnection: (connection) => {
    latest = connection
    void connection.closed.then(() => {
      if (latest === connection) latest = undefined
    })
  },
})
after(() => sender.close())

const [input, listener] = definitions

/** The listener, as the input sees it. */
const connections: SrtConnections = { offerTo: () => ({ [Symbol.dispose]: () => undefined }) }
const listeners = new TestListeners()
listeners.provide('srt', connections)

const address = `127.0.0.1:${sender.address.port}`

contract(input!, {
  options: { mode: 'caller', address, latency: `${LATENCY_MS}ms` },
  live: { connectTimeout: '2s' },
  refused: [
    {},
    { mode: 'caller' },
    { mode: 'caller', address: 'a.example:0' },
    { mode: 'caller', address, listener: 'srt' },
    { mode: 'caller', address, passphrase: 'short' },
    { mode: 'caller', address, pbkeylen: 17 },
    { mode: 'caller', address, streamId: 'x'.repeat(513) },
    { listener: 'srt', address },
    { listener: 'srt' },
  ],
  send: async (bytes, { clock }) => {
    const payloads: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += PAYLOAD_BYTES) payloads.push(bytes.slice(at, at + PAYLOAD_BYTES))
    // The sender paces in real time, and the clock of the input goes as fast: neither takes the other for dead.
    const startMs = performance.now()
    let nowMs = startMs
    const turnsUntil = async (claim: () => boolean): Promise<void> => {
      while (!claim() && nowMs - startMs < MOST_MS) {
        await setTimeout(2)
        const before = nowMs
        nowMs = performance.now()
        clock.advance(nowMs - before)
      }
    }
    // With options with which it cannot connect there is none.
    await turnsUntil(() => latest !== undefined || nowMs - startMs > 200)
    const connection = latest
    if (connection === undefined) return
    connection.send(payloads)
    await turnsUntil(() => connection !== latest || connection.stats().send.bufferedPackets === 0)
    const sentMs = nowMs
    await turnsUntil(() => nowMs - sentMs > 3 * LATENCY_MS)
  },
  publishing: { listener: 'srt' },
  deps: () => ({ listeners }),
})

contract(listener!, {
  live: { pbkeylen: 24, mtu: 1400, 'default.mode': 'publish', labels: { '10.0.0.0/8': 'studio' } },
  refused: [{ passphrase: 'short' }, { pbkeylen: 20 }, { latency: '2m' }, { default: { mode: 'both' } }],
  // An input that takes every caller.
  prepare: ({ node }) => {
    const { provides } = node as unknown as { readonly provides: SrtConnections }
    provides.offerTo({ mode: 'publish', take: () => ({}) })
  },
  work: async ({ transport, clock }) => {
    if (!(transport instanceof TestDatagramTransport)) return
    transport.deliver(new Uint8Array(64), { address: '192.0.2.1', port: 4000 })
    for (let turn = 0; turn < 10; turn++) {
      clock.advance(10)
      await setImmediate()
    }
  },
})
