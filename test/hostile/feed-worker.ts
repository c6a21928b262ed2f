// The thread of a hostile upstream: an HTTP server that sends one shape after another at a rate. A thread of its own, so
// that it takes no time from whoever measures.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort } from 'node:worker_threads'
import { HOSTILE_SHAPES, plain } from './hostile-shapes.js'

/** What it is told to send. */
export interface FeedOrder {
  /** Name of a shape; undefined: a well-formed stream. */
  readonly shape: string | undefined
  readonly mbitPerS: number
}

const PACKETS = 3000
const TICK_MS = 5
const PIECE_BYTES = 65_536
const MOST_UNSENT_BYTES = 2_000_000
/** What could not be sent in time is not sent at once later. */
const MOST_OWED_MS = 200

const readers = new Set<ServerResponse>()
let bytes = plain(PACKETS)
let bytesPerMs = 0
let at = 0
let owed = 0
let lastMs = performance.now()

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'video/mp2t' })
  response.flushHeaders()
  readers.add(response)
  parentPort?.postMessage(readers.size)
  response.on('close', () => readers.delete(response)).on('error', () => undefined)
})
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))

parentPort?.on('message', ({ shape, mbitPerS }: FeedOrder) => {
  bytes = HOSTILE_SHAPES.find(({ name }) => name === shape)?.make(PACKETS) ?? plain(PACKETS)
  bytesPerMs = mbitPerS * 125
  at = 0
  owed = 0
})

setInterval(() => {
  const nowMs = performance.now()
  owed = Math.min(owed + (nowMs - lastMs) * bytesPerMs, MOST_OWED_MS * bytesPerMs)
  lastMs = nowMs
  while (owed >= 1 && readers.size > 0) {
    const length = Math.min(PIECE_BYTES, Math.floor(owed), bytes.length - at)
    for (const reader of readers)
      if (reader.writableLength < MOST_UNSENT_BYTES) reader.write(bytes.subarray(at, at + length))
    at = (at + length) % bytes.length
    owed -= length
  }
}, TICK_MS)
