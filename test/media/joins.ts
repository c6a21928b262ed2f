// What viewers receive that join a stream: from each random access point on, with the splice buffers in front.
import { splitAtStart, SpliceTracker } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { concat } from './bytes.js'

/** One stream for each random access point, in order. */
export function joinsOf(chunks: readonly TsChunk[]): Uint8Array[] {
  const splice = new SpliceTracker()
  const joins: Uint8Array[] = []
  for (const [index, chunk] of chunks.entries()) {
    const parts = chunk.randomAccess ? splitAtStart(chunk) : undefined
    if (parts !== undefined) splice.follow(parts.before)
    if (parts !== undefined && parts.rest === undefined) continue
    const rest = parts?.rest ?? chunk
    if (chunk.randomAccess) {
      const later = chunks.slice(index + 1).map(({ bytes }) => bytes)
      joins.push(concat([splice.preamble(rest), rest.bytes, ...later]))
    }
    splice.follow(rest)
  }
  return joins
}
