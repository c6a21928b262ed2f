import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { buildTs, contract, TestStreamTransport } from '@millrace/engine/testing'
import definitions from './index.js'

const stream = buildTs({ durationS: 1 }).bytes
const sockets = new Set<Socket>()
const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => undefined)
  socket.end(stream)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
after(() => {
  server.close()
  for (const socket of sockets) socket.destroy()
})

const [input, listener] = definitions
const listeners = { http: () => undefined, of: () => undefined }

contract(input!, {
  options: { mode: 'connect', address: `127.0.0.1:${(server.address() as AddressInfo).port}` },
  deps: () => ({ listeners }),
  refused: [
    {},
    { mode: 'connect' },
    { mode: 'connect', address: 'a.example:0' },
    { mode: 'connect', address: 'a.example:1', addresses: ['b.example:1'] },
    { mode: 'connect', address: 'a.example:1', listener: 'pubs' },
    { listener: 'pubs', address: 'a.example:1' },
    { listener: 'pubs' },
  ],
})

contract(listener!, {
  refused: [{ headerTimeout: '1h' }],
  work: async ({ transport }) => {
    if (!(transport instanceof TestStreamTransport)) return
    transport.connect().client.end('cam1\nG')
    for (let turn = 0; turn < 10; turn++) await setImmediate()
  },
})
