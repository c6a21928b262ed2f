// The audio frames that will stand in one PES packet: memory that is used again.
import type { AudioFormat } from './audio-format.js'
import { MAX_PES_PAYLOAD } from './pes-header.js'

const FIRST_SIZE = 4096

export class AudioPes {
  bytes = new Uint8Array(FIRST_SIZE)
  length = 0
  /** Of the first frame. */
  pts90k = 0
  duration90k = 0

  /** The frame, whose head was measured, still fits. */
  fits(head: number, size: number): boolean {
    return this.length + head + size <= MAX_PES_PAYLOAD
  }

  add(format: AudioFormat, head: number, frame: Uint8Array, start: number, end: number): void {
    const length = this.length + head + end - start
    if (length > this.bytes.length) this.#grow(length)
    format.writeHead(this.bytes, this.length)
    const { bytes } = this
    let at = this.length + head
    for (let from = start; from < end; from++) bytes[at++] = frame[from]!
    this.length = length
    this.duration90k += (format.samples / format.sampleRate) * 90_000
  }

  clear(): void {
    this.length = 0
    this.duration90k = 0
  }

  #grow(length: number): void {
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(length)))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}
