import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { contract, HangingServer, TestListeners, TestStreamTransport } from '@millrace/engine/testing'
import definitions from './index.js'
import type { TcpConnections } from './tcp-listener.js'

const sockets = new Set<Socket>()
let latest: Socket | undefined
const server = createServer((socket) => {
  latest = socket
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => undefined)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const hanging = await HangingServer.open()
after(async () => {
  server.close()
  for (const socket of sockets) socket.destroy()
  await hanging[Symbol.asyncDispose]()
})

const [input, listener] = definitions

/** The listener, as the input sees it. */
const connections: TcpConnections = {
  offerTo(taker) {
    taker.onOtherSource(false)
    return { [Symbol.dispose]: () => undefined }
  },
}
const listeners = new TestListeners()
listeners.provide('pubs', connections)

contract(input!, {
  options: { mode: 'connect', address: `127.0.0.1:${(server.address() as AddressInfo).port}` },
  refused: [
    {},
    { mode: 'connect' },
    { mode: 'connect', address: 'a.example:0' },
    { mode: 'connect', address: 'a.example:1', addresses: ['b.example:1'] },
    { mode: 'connect', address: 'a.example:1', listener: 'pubs' },
    { listener: 'pubs', address: 'a.example:1' },
    { listener: 'pubs' },
  ],
  send: async (bytes) => new Promise((resolve) => latest?.write(bytes, () => resolve())),
  hanging: { address: hanging.address },
  publishing: { listener: 'pubs' },
  deps: () => ({ listeners }),
})

contract(listener!, {
  refused: [{ headerTimeout: '1h' }],
  // An input that takes every connection.
  prepare: ({ node }) => {
    const { provides } = node as unknown as { readonly provides: TcpConnections }
    provides.offerTo({ key: 'line', take: () => false, onOtherSource: () => undefined })
  },
  work: async ({ transport }) => {
    if (!(transport instanceof TestStreamTransport)) return
    transport.connect().client.end('cam1\nG')
    for (let turn = 0; turn < 10; turn++) await setImmediate()
  },
})
