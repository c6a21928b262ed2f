// The most memory that an output takes: its segments, and what it knows of those in the long playlists, of which there are
// two where segments have been lost; and what it usually takes. Audio renditions and splices (SCTE 35) add to what is listed.
import type { UsualMemory } from '@millrace/engine/plugin'
import { BEFORE_LOSS_MS } from './history/losses.js'
import type { HlsOptions } from './options.js'

/** Of an event: it ends then. */
const LONGEST_EVENT_MS = 24 * 3_600_000
/** A row of the segment table, with room to grow; those that can still be asked for are as many again. */
const TABLE_BYTES = 2 * 40
const TABLE_BYTES_PER_RENDITION = 2 * 5
/**
 * Of one rendition, with `npm run bench -- dvr-memory` as the measure: lines of two playlists, zipped too, their newest
 * texts, plain and zipped, and what the garbage collector has not yet freed of older ones. Counted bytes are a third.
 */
const LISTED_BYTES_PER_RENDITION = 1000
/** What leaves a playlist can be downloaded for as long again. */
const KEPT_LENGTHS = 2
/** The segment that is being made, the one that has just come, and one that is longer than wanted. */
const MORE_SEGMENTS = 3

export function memoryBound(
  { memory, dvr, playlistType, segment }: Pick<HlsOptions, 'memory' | 'dvr' | 'playlistType' | 'segment'>,
  renditions: number,
): number {
  const lengthMs = playlistType === 'event' ? LONGEST_EVENT_MS : dvr
  return memory + listedBytes((lengthMs + Math.min(lengthMs, BEFORE_LOSS_MS)) / segment, renditions)
}

/** With inlets of this bit rate each, in the process. */
export function usualMemory(
  { memory, dvr, window, playlistType, segment, store }: HlsOptions,
  bitsPerSecond: number,
  renditions: number,
): UsualMemory {
  const longMs = playlistType === 'event' ? LONGEST_EVENT_MS : dvr
  // On a disk, segments are in memory too as long as the playlists of the window need them.
  const inMemoryMs = store === 'memory' ? Math.max(longMs, window) : window
  const keptMs = KEPT_LENGTHS * inMemoryMs + MORE_SEGMENTS * segment
  const media = Math.ceil((keptMs / 8000) * bitsPerSecond) * Math.max(1, renditions)
  return { sharedBytes: Math.min(memory, media) + listedBytes(longMs / segment, renditions) }
}

function listedBytes(segments: number, renditions: number): number {
  const perRendition = TABLE_BYTES_PER_RENDITION + LISTED_BYTES_PER_RENDITION
  return Math.ceil(segments) * (TABLE_BYTES + Math.max(1, renditions) * perRendition)
}
