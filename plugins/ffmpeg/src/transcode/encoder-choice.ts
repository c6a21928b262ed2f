// Which encoder each rendition has: the one in hardware if it works here. Otherwise one in software where any will do
// (`hardware: auto`), or none: then the rendition is left out, and the others go on without it.
import type { Json } from '@millrace/engine/plugin'
import { knownFailure } from '../process/known-failure.js'
import { HARDWARE } from './hardware.js'
import type { Hardware, TriedEncoder } from './hardware.js'
import { renditionsOf } from './rendition.js'
import type { Rendition } from './rendition.js'
import type { TranscodeOptions } from './transcode-options.js'
import { tuningArguments } from './tuning-arguments.js'

/** The rendition of an output, in a line of the log: `output stream 1:0`, since FFmpeg 7 `[vost#1:0/...`. */
const OUTPUT = /(?:output stream |[ov]+st#)(\d+):/

interface Place {
  readonly name: string
  readonly wanted: Hardware | 'auto' | 'none'
  /** Undefined while it is not decided, and if there is none. */
  rendition: Rendition | undefined
  /** Why it is not the one that was wanted. */
  reason: string | undefined
  /** In hardware that works by now, while it is encoded in software. */
  better: Rendition | undefined
}

/** Of a rendition that does not have the encoder which was wanted. */
export interface Missed {
  readonly name: string
  readonly reason: string
  /** Or left out. */
  readonly isInSoftware: boolean
}

/** Resolves with the reason if the encoder does not work here. Never rejects. */
export type Probe = (encoder: TriedEncoder) => Promise<string | undefined>

export class EncoderChoice {
  readonly #options: TranscodeOptions
  readonly #probe: Probe
  readonly #places: readonly Place[]

  constructor(options: TranscodeOptions, probe: Probe) {
    this.#options = options
    this.#probe = probe
    this.#places = renditionsOf(options).map((rendition) => {
      const { name, wanted } = rendition
      return {
        name,
        wanted,
        rendition: wanted === 'none' ? rendition : undefined,
        reason: undefined,
        better: undefined,
      }
    })
  }

  /** A rendition waits for `decide`. */
  get isOpen(): boolean {
    return this.#places.some(({ rendition, reason }) => rendition === undefined && reason === undefined)
  }

  /** Those that can be encoded, in the order of the options. */
  get renditions(): readonly Rendition[] {
    return this.#places.flatMap(({ rendition }) => rendition ?? [])
  }

  get missed(): readonly Missed[] {
    return this.#places.flatMap(({ name, reason, rendition }) =>
      reason === undefined ? [] : [{ name, reason, isInSoftware: rendition !== undefined }],
    )
  }

  /**
   * Tries the encoders of all renditions that do not have the one which was wanted. True if one has got an encoder that had
   * none before. What could be encoded better is left as it is until `takeBetter`.
   */
  async decide(): Promise<boolean> {
    const known = new Map<string, Promise<string | undefined>>()
    const probe = (rendition: Rendition): Promise<string | undefined> => {
      const key = [rendition.encoder, ...tuningArguments(rendition)].join(' ')
      const asked = known.get(key) ?? this.#probe(rendition)
      known.set(key, asked)
      return asked
    }
    const open = this.#places.filter(({ rendition }) => rendition === undefined)
    // One after another: a node runs one conversion at a time, and is refused a second one.
    for (const place of this.#places) {
      if (place.rendition === undefined) await this.#decide(place, probe)
      else if (place.reason !== undefined && place.better === undefined) {
        place.better = (await this.#find(place, probe)).rendition
      }
    }
    return open.some(({ rendition }) => rendition !== undefined)
  }

  /** Another run begins: renditions in software move to the hardware that works by now. Returns their names. */
  takeBetter(): readonly string[] {
    const those = this.#places.filter(({ better }) => better !== undefined)
    for (const place of those) Object.assign(place, { rendition: place.better, reason: undefined, better: undefined })
    return those.map(({ name }) => name)
  }

  /**
   * An encoder has ended with these lines. The renditions whose hardware has failed get another encoder, or none: true if
   * there is one.
   */
  noteFailure(lines: readonly string[], encoded: readonly Rendition[]): boolean {
    const failure = knownFailure(lines)
    if (failure?.kind !== 'hardware') return false
    const named = new Set(
      lines.flatMap((line) => OUTPUT.exec(line)?.[1] ?? []).map((output) => encoded[Number(output)]),
    )
    const inHardware = encoded.filter(({ hardware }) => hardware !== 'none')
    const those = inHardware.some((each) => named.has(each)) ? inHardware.filter((each) => named.has(each)) : inHardware
    for (const { name } of those) {
      const place = this.#places.find((other) => other.name === name)
      if (place !== undefined) this.#giveUp(place, failure.text)
    }
    return those.length > 0
  }

  /** For the status. */
  describe(): Json {
    return this.#places.map(({ name, rendition, reason }) => ({
      name,
      encoder: rendition?.encoder ?? null,
      ...(reason === undefined ? {} : { reason }),
    }))
  }

  async #decide(place: Place, probe: (rendition: Rendition) => Promise<string | undefined>): Promise<void> {
    const { rendition, reason } = await this.#find(place, probe)
    if (rendition === undefined) return this.#giveUp(place, reason)
    place.rendition = rendition
    place.reason = undefined
  }

  /** The first in hardware that works, or why there is none. */
  async #find(
    place: Place,
    probe: (rendition: Rendition) => Promise<string | undefined>,
  ): Promise<{ readonly rendition?: Rendition; readonly reason: string }> {
    const { wanted } = place
    const reasons: string[] = []
    for (const kind of wanted === 'auto' ? HARDWARE : [wanted]) {
      const rendition = this.#in(kind, place)
      if (rendition === undefined) continue
      const reason = await probe(rendition)
      if (reason === undefined) return { rendition, reason: '' }
      reasons.push(`${rendition.encoder}: ${reason}`)
    }
    return { reason: reasons.join('; ') }
  }

  #giveUp(place: Place, reason: string): void {
    place.reason = reason
    place.better = undefined
    place.rendition = place.wanted === 'auto' ? this.#in('none', place) : undefined
  }

  #in(hardware: Hardware | 'none', { name }: Place): Rendition | undefined {
    return renditionsOf(this.#options, hardware).find((other) => other.name === name)
  }
}
