// Where the key frame of a segment lies: from the first PES packet of the video up to the one that begins the next
// picture. A player that shows only key frames loads this range, behind PAT and PMT (RFC 8216, 4.3.3.6).
import { isUnitStart, PACKET_SIZE, payloadOffset, pesHeaderEnd, readPid } from '@millrace/media/mpegts'
import type { Track } from '@millrace/engine/plugin'
import { FirstPicture, startsPicture } from './picture-syntax.js'

export interface ByteSpan {
  readonly offset: number
  readonly length: number
}

/** The largest picture that is looked at. */
const MAX_PICTURE_BYTES = 4 * 1024 * 1024
const FIRST_ROOM = 64 * 1024
/** PES packets of one picture: slices may have their own. */
const MAX_PES_PACKETS = 512
const CODECS: readonly string[] = ['h264', 'h265']

/**
 * `parts`: a segment. Undefined if its first picture is no I picture, if no range of packets holds that picture alone,
 * or for codecs that are not read.
 */
export function findIframe(
  parts: readonly Uint8Array[],
  { pid, codec, media }: Pick<Track, 'pid' | 'codec' | 'media'>,
): ByteSpan | undefined {
  if (media !== 'video' || !CODECS.includes(codec)) return undefined
  const search = new Search(codec)
  let base = 0
  for (const bytes of parts) {
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      if (readPid(bytes, at) === pid && search.take(bytes, at, base + at)) return search.found
    }
    base += bytes.length
  }
  return search.endAt(base)
}

/** Reads the packets of the video up to the end of the first picture. */
class Search {
  found: ByteSpan | undefined
  readonly #codec: string
  readonly #picture: FirstPicture
  #offset = -1
  #pesPackets = 0
  /** The elementary stream of the picture. */
  #bytes = new Uint8Array(FIRST_ROOM)
  #length = 0

  constructor(codec: string) {
    this.#codec = codec
    this.#picture = new FirstPicture(codec)
  }

  /** `place`: of the packet in the segment. True: the search is over. */
  take(bytes: Uint8Array, at: number, place: number): boolean {
    const isStart = isUnitStart(bytes, at)
    if (isStart && ++this.#pesPackets > MAX_PES_PACKETS) return true
    if (this.#offset < 0) {
      if (!isStart) return false
      this.#offset = place
    } else if (isStart && this.#isOver(bytes, at)) {
      this.found = this.endAt(place)
      return true
    }
    return !this.#add(bytes, at, isStart)
  }

  /** The picture ends there. */
  endAt(end: number): ByteSpan | undefined {
    if (this.#offset < 0) return undefined
    const { isIntra, hasSecond } = this.#read()
    // Its PES packets may hold another picture too.
    if (isIntra !== true || hasSecond) return undefined
    return { offset: this.#offset, length: end - this.#offset }
  }

  /** The PES packet at `at` begins with the next picture, or that has already begun in another one. */
  #isOver(bytes: Uint8Array, at: number): boolean {
    const begin = pesHeaderEnd(bytes, payloadOffset(bytes, at), at + PACKET_SIZE)
    const isNext = startsPicture(bytes.subarray(begin, at + PACKET_SIZE), this.#codec)
    const { isIntra, hasSecond } = this.#read()
    return (isNext && isIntra !== undefined) || hasSecond
  }

  /** False: it is larger than any picture that is looked at. */
  #add(bytes: Uint8Array, at: number, isStart: boolean): boolean {
    const end = at + PACKET_SIZE
    const payload = payloadOffset(bytes, at)
    const part = bytes.subarray(isStart ? pesHeaderEnd(bytes, payload, end) : payload, end)
    if (this.#length + part.length > MAX_PICTURE_BYTES) return false
    if (this.#length + part.length > this.#bytes.length) this.#grow()
    this.#bytes.set(part, this.#length)
    this.#length += part.length
    return true
  }

  #read(): FirstPicture {
    this.#picture.read(this.#bytes.subarray(0, this.#length))
    return this.#picture
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
