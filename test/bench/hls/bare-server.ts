// A server of Node that does nothing but send the same bytes again and again: what HLS costs with Node's HTTP server at
// least. Prints its port. The playlist names one segment, of which all viewers receive the same bytes.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'

const SEGMENT = Buffer.alloc(Number(process.argv[2]), 0x47)
const PLAYLIST = Buffer.from('#EXTM3U\n'.padEnd(Number(process.argv[3]), '#') + '\nsegment.ts\n')

const server = createServer((request, response) => {
  const body = request.url === '/media.m3u8' ? PLAYLIST : SEGMENT
  response.writeHead(200, { 'Content-Length': body.length })
  response.end(body)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
