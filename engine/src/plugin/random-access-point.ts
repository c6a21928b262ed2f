// Where reading a stream can start.
import type { AnyChunk } from './contract.js'

/** A reader can start with this chunk. */
export function isRandomAccessPoint(chunk: AnyChunk): boolean {
  return chunk.kind === 'gop' ? chunk.first : chunk.randomAccess
}
