// Finds packet synchronisation in bytes that begin anywhere: plain packets (188 bytes), with a timestamp before each
// (192, as in M2TS files), or with parity after each (204, EN 300 429).
import { PACKET_SIZE, SYNC_BYTE } from './packet.js'

export const STRIDES = [188, 192, 204] as const
/** Sync bytes required in a row at one stride. TR 101 290 1.1 suggests 5; fewer make joins faster. */
const LOCK_COUNT = 3
/** A search leaves at most this many bytes undecided. */
export const SEARCH_SPAN = 204 * (LOCK_COUNT - 1) + PACKET_SIZE

export interface SyncResult {
  /** Where the first packet begins, or up to where the bytes have been ruled out. */
  at: number
  /** 0 if not found yet. */
  stride: number
}

/**
 * Searches from `from` to `end`. `ending`: no more bytes will arrive, so fewer sync bytes suffice at the end. Writes the
 * result into `found`.
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

/** The stride of the run of packets at `at`; 0 if there is none, -1 if more bytes are needed to tell. */
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

/** At the end of the bytes: the packets fill them, except for a remainder shorter than a packet. */
function isWhole(at: number, end: number, stride: number, good: number): boolean {
  const rest = end - (at + (good - 1) * stride)
  return rest >= PACKET_SIZE && rest <= stride
}
