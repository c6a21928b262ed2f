// The parameter sets in a decoder configuration record: avcC and hvcC, ISO/IEC 14496-15 5.3.3.1 and 8.3.3.1. A damaged
// record gives those before the damage.

const AVC_HEADER_SIZE = 5
const HEVC_HEADER_SIZE = 22
/** More sets, or more bytes, belong to no stream in use. */
const MAX_SETS = 64

export function listAvcSets(config: Uint8Array): Uint8Array[] {
  const sets: Uint8Array[] = []
  let at = AVC_HEADER_SIZE
  for (const mask of [0x1f, 0xff]) {
    if (at >= config.length) return sets
    const count = config[at]! & mask
    at = readSets(config, at + 1, count, sets)
    if (at < 0) return sets
  }
  return sets
}

export function listHevcSets(config: Uint8Array): Uint8Array[] {
  const sets: Uint8Array[] = []
  let at = HEVC_HEADER_SIZE + 1
  for (let arrays = config[HEVC_HEADER_SIZE] ?? 0; arrays > 0 && at + 3 <= config.length; arrays--) {
    const count = (config[at + 1]! << 8) | config[at + 2]!
    at = readSets(config, at + 3, count, sets)
    if (at < 0) return sets
  }
  return sets
}

/** Returns where the next part begins, or -1 if the record ends before. */
function readSets(config: Uint8Array, start: number, count: number, sets: Uint8Array[]): number {
  let at = start
  for (let left = count; left > 0; left--) {
    if (at + 2 > config.length || sets.length >= MAX_SETS) return -1
    const end = at + 2 + ((config[at]! << 8) | config[at + 1]!)
    if (end > config.length) return -1
    if (end > at + 2) sets.push(config.subarray(at + 2, end))
    at = end
  }
  return at
}
