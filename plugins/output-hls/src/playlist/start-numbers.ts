// Where numbers begin, so that they never go back: over restarts, lost state folders, and clocks that are wrong. What is
// saved is ahead of what is in use, so that it is written rarely.
import { z } from 'zod'
import type { SavedSlots } from './aligned-slots.js'
import { MAX_TARGET_SECONDS } from './life.js'
import type { Numbers } from './segment-list.js'

/** What is written to the node's folder. */
export interface SavedNumbers extends Numbers {
  /** Lives that have ended. */
  readonly lives: number
  /** Target duration of the last life, seconds, and the `segment` that it was chosen for, milliseconds; 0: none. */
  readonly target: number
  readonly segment: number
  /** In every URI of the output. */
  readonly mark: string
  /** What numbers mean; undefined: KEYFRAME. */
  readonly slicing?: string | undefined
  readonly slots?: SavedSlots | undefined
}

/** Segments begin at key frames, and are counted. */
const KEYFRAME = 'keyframe'
/** Numbers that can be used before they are saved again. */
const AHEAD = 16
/** With slots, numbers follow the time. */
const SLOTS_AHEAD = 4
/** Where the discontinuity sequence begins then: the same for origins that start in the same hour. */
const SECONDS_PER_HOUR = 3600
const NO_LIFE = { target: 0, segment: 0 }
const NOTHING: Omit<SavedNumbers, 'mark'> = { media: 0, discontinuity: 0, lives: 0, ...NO_LIFE }
/**
 * Where the discontinuity sequence begins: minutes since 2026. hls.js (1.7.4) copies an array of this length at each
 * discontinuity: 50 ms for a million, and for ever for the Unix time in seconds.
 */
const DISCONTINUITY_EPOCH_S = Date.UTC(2026, 0) / 1000
const DISCONTINUITY_STEP_S = 60
const count = z
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER / 2)
/** Far behind all that time and restarts lead to: a file that says more is damaged, and players could not count so far. */
const LARGEST_MEDIA = 2 ** 40
const LARGEST_DISCONTINUITY = 2 ** 28
const saved = z.object({
  media: count.max(LARGEST_MEDIA),
  discontinuity: count.max(LARGEST_DISCONTINUITY),
  lives: z
    .int()
    .min(0)
    .max(2 ** 32),
  target: count.max(MAX_TARGET_SECONDS),
  segment: count,
  mark: z.string().regex(/^[0-9a-z]{1,8}$/),
  slicing: z.string().max(40).optional(),
  slots: z.object({ pts90k: count, date90k: count, deviation90k: z.int() }).optional(),
})

export class StartNumbers {
  readonly #epochSeconds: number
  #saved: SavedNumbers
  #next: Numbers
  readonly #firstFree: number

  /** `epochSeconds`: Unix time. `owner`: id of the node, for one that has saved nothing. */
  constructor(epochSeconds: number, owner: string, before: SavedNumbers = { ...NOTHING, mark: markOf(owner) }) {
    this.#epochSeconds = Math.max(0, Math.floor(epochSeconds))
    this.#saved = before
    this.#firstFree = before.media + 1
    this.#next = this.#first()
  }

  get slicing(): string {
    return this.#saved.slicing ?? KEYFRAME
  }

  /** What numbers mean from now on. If that is new, the next life is another one. */
  setSlicing(slicing: string): void {
    if (slicing !== this.slicing) {
      const lives = this.#saved.lives + (this.#saved.media > 0 ? 1 : 0)
      this.#saved = { ...this.#saved, ...NO_LIFE, media: 0, discontinuity: 0, lives, slicing, slots: undefined }
    }
    this.#next = this.#first()
  }

  /** To be written. */
  get saved(): SavedNumbers {
    return this.#saved
  }

  /**
   * Tells the URIs of this output from those of others, whose numbers begin with the same time of day: two outputs may
   * exchange their paths, and caches keep segments for ever. It stays over renames and restarts.
   */
  get mark(): string {
    return this.#saved.mark
  }

  /** Numbers are counted, and the next process can go on with them. */
  get areCounted(): boolean {
    return this.slicing === KEYFRAME
  }

  /** The first media sequence number that the last process has certainly not used. */
  get firstFree(): number {
    return this.#firstFree
  }

  /** To be written when nothing more is published: the next process goes on with the next numbers. */
  get exact(): SavedNumbers {
    if (this.slicing !== KEYFRAME) return this.#saved
    const { media, discontinuity } = this.#next
    return { ...this.#saved, media: Math.max(0, media - 1), discontinuity: Math.max(0, discontinuity - 1) }
  }

  /** The target duration of the last life, if it was chosen for this length of segments. */
  targetFor(segmentMs: number): number | undefined {
    const { target, segment } = this.#saved
    return target > 0 && segment === segmentMs ? target : undefined
  }

  beginLife(target: number, segment: number): { readonly number: number; readonly from: Numbers } {
    const from = this.#next
    this.#saved = { ...this.#saved, ...this.#ahead(from), target, segment }
    return { number: this.#saved.lives, from }
  }

  /** The last life goes on. `unused`: the first numbers that it has not used. */
  goOn(unused: Numbers): void {
    this.#next = unused
  }

  /** They have been used, although what was saved does not say so: that is lost. */
  skip({ media, discontinuity }: Numbers): void {
    if (!this.areCounted) return
    const { media: nextMedia, discontinuity: nextDiscontinuity } = this.#next
    this.#next = {
      media: Math.max(nextMedia, media + 1),
      discontinuity: Math.max(nextDiscontinuity, discontinuity + 1),
    }
  }

  /** `unused`: the first numbers that are free. */
  endLife(unused: Numbers): void {
    this.#next = unused
    this.#saved = { ...this.#saved, ...this.#ahead(unused), lives: this.#saved.lives + 1, ...NO_LIFE }
  }

  /** True if `saved` has to be written. */
  use(unused: Numbers, slots?: SavedSlots): boolean {
    this.#next = unused
    if (slots !== undefined) return this.#useSlots({ ...unused, discontinuity: unused.discontinuity - 1 }, slots)
    if (unused.media <= this.#saved.media && unused.discontinuity <= this.#saved.discontinuity) return false
    this.#saved = { ...this.#saved, ...this.#ahead(unused) }
    return true
  }

  /** The next process goes on in the discontinuity in which this one was, if the source is still the same. */
  #useSlots(newest: Numbers, slots: SavedSlots): boolean {
    const { media, discontinuity } = this.#saved
    if (newest.media <= media && newest.discontinuity === discontinuity) return false
    this.#saved = { ...this.#saved, ...this.#ahead(newest), slots }
    return true
  }

  #ahead({ media, discontinuity }: Numbers): Numbers {
    if (this.slicing !== KEYFRAME) return { media: media + SLOTS_AHEAD, discontinuity }
    return { media: media + AHEAD, discontinuity: discontinuity + AHEAD }
  }

  /** The first of this process. */
  #first(): Numbers {
    const { media, discontinuity } = this.#saved
    const now = this.#epochSeconds
    if (this.slicing === KEYFRAME) {
      return { media: Math.max(now, media + 1), discontinuity: Math.max(firstDiscontinuity(now), discontinuity + 1) }
    }
    return { media, discontinuity: discontinuity > 0 ? discontinuity : Math.floor(now / SECONDS_PER_HOUR) }
  }
}

function firstDiscontinuity(epochSeconds: number): number {
  return Math.max(0, Math.floor((epochSeconds - DISCONTINUITY_EPOCH_S) / DISCONTINUITY_STEP_S))
}

/** FNV-1a, 32 bits, in base 36. */
function markOf(owner: string): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(owner)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(36)
}

/** Undefined for what is not ours, or damaged. */
export function parseSavedNumbers(bytes: Uint8Array): SavedNumbers | undefined {
  try {
    return saved.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data
  } catch {
    return undefined
  }
}
