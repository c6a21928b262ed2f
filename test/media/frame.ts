// Ways to push a stream through a framer.
import { Framer } from '@millrace/media/mpegts'
import type { FramerCounters, FramerOptions, TsChunk } from '@millrace/media/mpegts'
import { concat } from './bytes.js'

export interface Framed {
  readonly chunks: readonly TsChunk[]
  readonly counters: FramerCounters
  /** Why no viewer can start; empty if one can. */
  readonly obstacle: string
}

export interface FrameOptions extends FramerOptions {
  /** Bytes per push, or a function that returns the number; by default all at once. */
  readonly piece?: number | (() => number)
  /** Flush after this many pushes; by default never. */
  readonly flushEvery?: number
  /** Time of the first push, milliseconds; each further push is 1 ms later. */
  readonly startMs?: number
}

export function frame(bytes: Uint8Array, options: FrameOptions = {}): Framed {
  const { piece = bytes.length, flushEvery = Infinity, startMs = 0, ...rest } = options
  const framer = new Framer(rest)
  const chunks: TsChunk[] = []
  let nowMs = startMs
  let pieces = 0
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(1, typeof piece === 'number' ? piece : piece())
    chunks.push(...framer.push(bytes.subarray(at, at + size), nowMs))
    at += size
    nowMs++
    if (++pieces % flushEvery === 0) chunks.push(...framer.flush(nowMs))
  }
  chunks.push(...framer.finish(nowMs))
  return { chunks, counters: framer.counters, obstacle: framer.obstacle }
}

export function bytesOf(chunks: readonly TsChunk[]): Uint8Array {
  return concat(chunks.map((chunk) => chunk.bytes))
}
