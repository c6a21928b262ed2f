import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { buildTs, contract } from '@millrace/engine/testing'
import input from './index.js'

const stream = buildTs({ durationS: 1 }).bytes
const server = createServer((request, response) => {
  if (request.url === '/') response.writeHead(302, { location: '/live.ts' }).end()
  else response.writeHead(200, { 'content-type': 'video/mp2t' }).write(stream)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
after(() => server.close())

contract(input, {
  options: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` },
  commands: [{ name: 'next' }],
  refused: [{ url: 'ftp://a.example/' }],
})
