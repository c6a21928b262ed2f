// Whether a part of an audio track has frames at all, by their sync words. FFmpeg says nothing of a track without any before
// it has read `-probesize`, which takes minutes of a stream of few bits.

/** Codec, and how much of it must be there to say that there are none. */
const LEAST_BYTES: Readonly<Record<string, number>> = { aac: 4096, mp2: 4096, ac3: 8000, eac3: 8000 }
const ADTS_HEADER = 7

/** Undefined if that cannot be said. `bytes`: of the elementary stream, from the beginning of a unit on. */
export function hasFrames(codec: string, bytes: Uint8Array): boolean | undefined {
  const least = LEAST_BYTES[codec]
  if (least === undefined) return undefined
  const has = codec === 'aac' ? hasAdts(bytes) : codec === 'mp2' ? hasMpegAudio(bytes) : hasAc3(bytes)
  return has ? true : bytes.length < least ? undefined : false
}

/** A frame that another one follows, ISO/IEC 14496-3 1.A.2.2. */
function hasAdts(bytes: Uint8Array): boolean {
  for (let at = 0; at + ADTS_HEADER <= bytes.length; at++) {
    if (!isAdts(bytes, at)) continue
    const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >>> 5)
    if (length > ADTS_HEADER && isAdts(bytes, at + length)) return true
  }
  return false
}

function isAdts(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0xf6) === 0xf0
}

/** Three headers with the same ID and layer, ISO/IEC 11172-3 2.4.2.3: a sync word is short. */
function hasMpegAudio(bytes: Uint8Array): boolean {
  const counts = new Map<number, number>()
  for (let at = 0; at + 1 < bytes.length; at++) {
    const second = bytes[at + 1]!
    if (bytes[at] !== 0xff || (second & 0xe0) !== 0xe0 || (second & 6) === 0) continue
    const count = (counts.get(second) ?? 0) + 1
    if (count === 3) return true
    counts.set(second, count)
  }
  return false
}

/** Two sync words, ETSI TS 102 366 5.4.1. */
function hasAc3(bytes: Uint8Array): boolean {
  let count = 0
  for (let at = 0; at + 1 < bytes.length; at++) {
    if (bytes[at] === 0x0b && bytes[at + 1] === 0x77 && ++count === 2) return true
  }
  return false
}
