import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { contract, HangingServer } from '@millrace/engine/testing'
import input from './index.js'

let latest: ServerResponse | undefined
const server = createServer((request, response) => {
  if (request.url === '/') return void response.writeHead(302, { location: '/live.ts' }).end()
  latest = response
  response.writeHead(200, { 'content-type': 'video/mp2t' }).flushHeaders()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const hanging = await HangingServer.open()
after(async () => {
  server.closeAllConnections()
  server.close()
  await hanging[Symbol.asyncDispose]()
})

contract(input, {
  options: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` },
  commands: [{ name: 'next' }],
  refused: [{ url: 'ftp://a.example/' }],
  send: async (bytes) => new Promise((resolve) => latest?.write(bytes, () => resolve())),
  hanging: { url: `http://${hanging.address}/` },
})
