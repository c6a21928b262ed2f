import { after } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { contract, HangingServer, TestListeners, TestStreamTransport } from '@millrace/engine/testing'
import { MediaMessage } from '@millrace/rtmp'
import { RtmpServer } from '@millrace/rtmp/node'
import type { PlayerSession, RtmpConnections } from '@millrace/rtmp/node'
import definitions from './index.js'
import { clip } from './rtmp-bench.test.kit.js'

let latest: PlayerSession | undefined
const server = await RtmpServer.open({
  address: '127.0.0.1',
  port: 0,
  onPlay: (arrival) => (latest = arrival.accept({ ended: () => undefined })),
})
const hanging = await HangingServer.open()
after(async () => {
  await server.close()
  await hanging[Symbol.asyncDispose]()
})

const [input, listener] = definitions

/** The listener, as the input sees it. */
const connections: RtmpConnections = { offerTo: () => ({ [Symbol.dispose]: () => undefined }) }
const listeners = new TestListeners()
listeners.provide('rtmp', connections)
const url = `rtmp://127.0.0.1:${server.port}/live/cam`
let sentMs = 0

contract(input!, {
  options: { mode: 'pull', url },
  refused: [
    {},
    { mode: 'pull' },
    { mode: 'pull', url: 'rtmp://host/app' },
    { mode: 'pull', url: 'http://host/app/name' },
    { mode: 'pull', url, listener: 'rtmp' },
    { mode: 'pull', url, app: 'live' },
    { listener: 'rtmp', app: 'live', url },
    { listener: 'rtmp' },
    { listener: 'rtmp', app: 'live?x' },
  ],
  // The bytes of a transport stream are of no use here: a clip is as good.
  send: async () => {
    for (const { type, timestampMs, body } of clip(sentMs))
      latest?.send(new MediaMessage(type, 'headers', timestampMs, body))
    sentMs += 600
    for (let turn = 0; turn < 20; turn++) await setImmediate()
  },
  hanging: { url: `rtmp://${hanging.address}/live/cam` },
  publishing: { listener: 'rtmp', app: 'live' },
  deps: () => ({ listeners }),
})

contract(listener!, {
  live: { chunkSize: 8192, ackWindow: 100_000, maxMessage: '1MiB' },
  refused: [{ chunkSize: 1 }, { maxMessage: '1GiB' }, { ping: '1ms' }],
  // An input that takes every publisher.
  prepare: ({ node }) => {
    const { provides } = node as unknown as { readonly provides: RtmpConnections }
    provides.offerTo({ mode: 'publish', take: () => true })
  },
  work: async ({ transport }) => {
    if (!(transport instanceof TestStreamTransport)) return
    transport.connect().client.end(Buffer.concat([Uint8Array.of(3), Buffer.alloc(3072)]))
    for (let turn = 0; turn < 10; turn++) await setImmediate()
  },
})
