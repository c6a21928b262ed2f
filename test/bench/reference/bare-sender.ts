// The least that a sender in Node does: a server of node:net, and one `socket.write` per client and batch of bytes that are
// in memory. No graph, no parsing, no window.
//
//   bare-sender FILE.ts BITS_PER_SECOND BATCH_MS      listens on any port of 127.0.0.1 and prints it
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'

const PACKET_SIZE = 188
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n'

const [path = '', bitsPerSecond, batchMs] = process.argv.slice(2)
const file = readFileSync(path)
const bytesPerMs = Number(bitsPerSecond) / 8000
const startMs = performance.now()
const clients = new Set<Socket>()
let sent = 0

const server = createServer({ noDelay: true, highWaterMark: 64 * 1024 }, (socket) => {
  socket.once('data', () => {
    socket.on('data', () => undefined)
    socket.write(ANSWER)
    clients.add(socket)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => clients.delete(socket))
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})

setInterval(() => {
  const batch = nextBatch()
  for (const socket of clients) if (!socket.writableNeedDrain) socket.write(batch)
}, Number(batchMs))

/** What is due, whole packets, at most up to the end of the file. */
function nextBatch(): Buffer {
  const due = Math.floor(((performance.now() - startMs) * bytesPerMs) / PACKET_SIZE) * PACKET_SIZE
  const from = sent % file.length
  const batch = file.subarray(from, from + due - sent)
  sent += batch.length
  return batch
}
