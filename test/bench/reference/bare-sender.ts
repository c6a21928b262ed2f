// The minimum that a sender in Node does: a node:net server, and one `socket.write` per client and batch of bytes already
// in memory. No graph, no window, and no parsing except once at the start: as in the product, batches are also cut at
// each key frame.
//
//   bare-sender FILE.ts BITS_PER_SECOND BATCH_MS      listens on any port of 127.0.0.1 and prints it
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'

const PACKET_SIZE = 188
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n'

const [path = '', bitsPerSecond, batchMs] = process.argv.slice(2)
const file = readFileSync(path)
const bytesPerMs = Number(bitsPerSecond) / 8000
const cuts = keyFrameOffsets()
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
  const due = Math.floor(((performance.now() - startMs) * bytesPerMs) / PACKET_SIZE) * PACKET_SIZE
  while (sent < due) {
    const batch = nextBatch(due - sent)
    for (const socket of clients) if (!socket.writableNeedDrain) socket.write(batch)
    sent += batch.length
  }
}, Number(batchMs))

/** At most `most` bytes, up to the next key frame or the end of the file. */
function nextBatch(most: number): Buffer {
  const from = sent % file.length
  const cut = cuts.find((offset) => offset > from) ?? file.length
  return file.subarray(from, Math.min(from + most, cut))
}

/** Offsets of packets with random_access_indicator, ISO/IEC 13818-1 2.4.3.5, on the first PID that has any. */
function keyFrameOffsets(): readonly number[] {
  const found: number[] = []
  let lead = -1
  for (let at = 0; at + PACKET_SIZE <= file.length; at += PACKET_SIZE) {
    const isKeyFrame = (file[at + 3]! & 0x20) !== 0 && file[at + 4]! > 0 && (file[at + 5]! & 0x40) !== 0
    const pid = file.readUInt16BE(at + 1) & 0x1fff
    if (!isKeyFrame || (lead >= 0 && pid !== lead)) continue
    lead = pid
    found.push(at)
  }
  return found
}
