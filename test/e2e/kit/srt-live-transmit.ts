// srt-live-transmit, libsrt's own program, as the other side of a connection.
import { setInterval as ticks } from 'node:timers/promises'
import { Child } from './child.js'
import { CHUNK_BYTES } from './numbered-stream.js'

/** Chunks that it keeps until more come. */
const KEPT_CHUNKS = 12
/** What a late tick makes up for: on a busy machine the stream comes more slowly, and not in bursts that no socket holds. */
const MOST_LATE_MS = 20

/** It gives up a call after 3 s otherwise, and calls again. */
const CONNECT_MS = 60_000

/** Starts it to send what is written to it, or to write what it receives to `onStdout`. */
export function srtLiveTransmit(url: string, onStdout?: (bytes: Uint8Array) => void): Child {
  const options = ['-a:no', `-chunk:${CHUNK_BYTES}`, '-loglevel:warn']
  const place = `${url}${url.includes('?') ? '&' : '?'}conntimeo=${CONNECT_MS}`
  const uris = onStdout === undefined ? ['file://con', place] : [place, 'file://con']
  return new Child('srt-live-transmit', [...options, ...uris], {
    cwd: '/',
    ...(onStdout === undefined ? { stdin: true } : { onStdout }),
  })
}

/** Calls `write` with the stream, at most at this rate, and then with some chunks that push out what is kept. */
export async function pump(stream: Uint8Array, mbit: number, write: (bytes: Uint8Array) => unknown): Promise<void> {
  let lastMs = performance.now()
  let dueMs = 0
  let at = 0
  for await (const _ of ticks(5)) {
    const nowMs = performance.now()
    dueMs += Math.min(nowMs - lastMs, MOST_LATE_MS)
    lastMs = nowMs
    const dueBytes = (dueMs * mbit * 1000) / 8
    const end = Math.min(stream.length, dueBytes - (dueBytes % CHUNK_BYTES))
    if (end > at) write(stream.subarray(at, end))
    at = Math.max(at, end)
    if (at === stream.length) break
  }
  write(stream.subarray(0, KEPT_CHUNKS * CHUNK_BYTES))
}

/** All that `pump` writes. */
export function pumped(stream: Uint8Array): Uint8Array {
  return Buffer.concat([stream, stream.subarray(0, KEPT_CHUNKS * CHUNK_BYTES)])
}

export function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(bytes.subarray(at, at + CHUNK_BYTES))
  return chunks
}
