// A further audio track of a stream, as a rendition of its own: its segments have this track alone.
import { Bandwidth } from './playlist/bandwidth.js'
import type { Numbers } from './playlist/segment-list.js'
import { AudioPackets } from './segment/audio-packets.js'
import type { Flow } from './segment/flowing-tracks.js'
import type { ProgramHead } from './segment/program-head.js'
import { SegmentBuilder } from './segment/segment-builder.js'
import type { DescribedTrack } from './variant.js'

export class AudioRendition {
  readonly name: string
  readonly bandwidth = new Bandwidth()
  readonly #packets: AudioPackets
  readonly #builder = new SegmentBuilder()
  readonly #pid: number
  /** Of the stream, and what this track has of it. */
  #heads: { readonly whole: ProgramHead; readonly own: ProgramHead } | undefined

  constructor(name: string, pid: number) {
    this.name = name
    this.#pid = pid
    this.#packets = new AudioPackets(pid)
  }

  /** Of the packets of a segment. Undefined if it has none of this track. `isNew`: it does not continue the one before. */
  build(
    { head: whole, silence }: Flow,
    parts: readonly Uint8Array[],
    { isNew, isBroken, shared }: AudioPlace,
  ): Uint8Array[] | undefined {
    if (isNew) this.#packets.reset()
    if (this.#heads?.whole !== whole) this.#heads = { whole, own: whole.only(({ pid }) => pid === this.#pid) }
    const { own } = this.#heads
    const sound = this.#packets.take(parts, own.pcrPid)
    const substitute = silence.get(this.#pid)
    const packets = substitute === undefined ? sound : Buffer.concat([sound, this.#packets.takeOpen(), substitute])
    if (isBroken) this.#packets.reset()
    if (packets.length === 0) return undefined
    return this.#builder.build({ head: own, parts: [packets], lacking: undefined, isBroken, isNew, shared })
  }

  /** A segment has been left out. */
  skip(): void {
    this.#packets.reset()
    this.#builder.skip()
  }
}

interface AudioPlace {
  readonly isNew: boolean
  readonly isBroken: boolean
  readonly shared: Numbers | undefined
}

/** A URI may be one of the rendition's playlists, or of an audio rendition that is taken from it. */
export function isOfRendition(uri: string, rendition: string): boolean {
  return uri.startsWith(`${rendition}-`) || uri.startsWith(`${rendition}.audio`)
}

/** In URIs: behind the name of the rendition that it is taken from. */
export function audioName(rendition: string, pid: number): string {
  return `${rendition}.audio${pid}`
}

/** Of the track that `name` has, if that is an audio rendition taken from this one. */
export function audioPid(name: string, rendition: string): number | undefined {
  const prefix = audioName(rendition, 0).slice(0, -1)
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^\d{1,4}$/.test(digits) ? Number(digits) : undefined
}

/** An audio track of a stream. */
export interface AudioTrack extends DescribedTrack {
  /** Undefined: it is in the segments of the variants. */
  readonly rendition: AudioRendition | undefined
}
