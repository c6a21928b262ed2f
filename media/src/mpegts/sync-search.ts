// Finds packet synchronisation in bytes that begin anywhere: plain packets (188 bytes), with a time stamp in front
// (192, as in M2TS files), or with parity behind (204, EN 300 429).
import { PACKET_SIZE, SYNC_BYTE } from './packet.js'

export const STRIDES = [188, 192, 204] as const
/** Sync bytes that must follow each other at one stride. TR 101 290 1.1 suggests 5; joins want less. */
const LOCK_COUNT = 3
/** No search leaves more than this many bytes undecided. */
export const SEARCH_SPAN = 204 * (LOCK_COUNT - 1) + PACKET_SIZE

export interface SyncResult {
  /** Where the first packet begins, or how far the bytes were ruled out. */
  at: number
  /** 0 if not found yet. */
  stride: number
}

/**
 * Looks from `from` to `end`. `ending`: no more bytes will come, so that fewer sync bytes are enough at the end.
 * Writes the result into `found`.
 */
export function findSync(bytes: Uint8Array, from: number, end: number, ending: boolean, found: SyncResult): void {
  found.stride = 0
  let at = from
  while (at < end) {
    at = bytes.indexOf(SYNC_BYTE, at)
    if (at < 0 || at >= end) break
    const stride = strideAt(bytes, at, end, ending)
    if (stride !== 0) {
      found.at = at
      found.stride = Math.max(stride, 0)
      return
    }
    at++
  }
  found.at = end
}

/** The stride of a packet run at `at`; 0 if there is none, -1 if more bytes are needed to say. */
function strideAt(bytes: Uint8Array, at: number, end: number, ending: boolean): number {
  let open = false
  for (const stride of STRIDES) {
    let good = 1
    while (good < LOCK_COUNT && at + good * stride < end && bytes[at + good * stride] === SYNC_BYTE) good++
    if (good === LOCK_COUNT) return stride
    if (at + good * stride < end) continue
    if (!ending) open = true
    else if (at + PACKET_SIZE <= end && isWhole(at, end, stride, good)) return stride
  }
  return open ? -1 : 0
}

/** At the end of the bytes: the packets that are there fill them, but for a rest that is no whole packet. */
function isWhole(at: number, end: number, stride: number, good: number): boolean {
  const rest = end - (at + (good - 1) * stride)
  return rest >= PACKET_SIZE && rest <= stride
}
