// Makes the segments of all renditions: from packets to the bytes that viewers get, and keeps those. What is not their own
// audio becomes segments of audio renditions.
import type { KeptMedia } from '@millrace/engine/plugin'
import type { AudioRendition } from '../audio-rendition.js'
import type { SegmentKey } from '../playlist/keys.js'
import type { Numbers, SegmentMedia } from '../playlist/segment-list.js'
import type { Rendition } from '../rendition.js'
import { type ByteSpan, findIframe } from '../segment/iframe-range.js'
import { SegmentMemory } from '../segment/segment-memory.js'
import type { PresentationState } from './presentation-state.js'
import type { SegmentDraft, SegmentDrafts } from './segment-drafts.js'

interface PlainSegment {
  readonly parts: readonly Uint8Array[]
  /** PAT and PMT, the first of the parts. */
  readonly tables: Uint8Array
  readonly isIndependent: boolean
  readonly iframe: ByteSpan | undefined
}

interface SegmentPlace {
  /** Decoders start anew. */
  readonly isNew: boolean
  /** With `slicing: aligned`, the numbers that it has at all origins. */
  readonly shared: Numbers | undefined
}

export interface BuiltSegment {
  readonly owner: Rendition | AudioRendition
  /** Undefined: a gap. */
  readonly plain: PlainSegment | undefined
}

export class SegmentMaker {
  readonly #state: PresentationState
  readonly #memory: SegmentMemory

  /** `giveUpOldest`: releases the oldest segment; false if there is none. */
  constructor(state: PresentationState, giveUpOldest: () => boolean) {
    this.#state = state
    this.#memory = new SegmentMemory({ open: (limitBytes) => state.host.openMemory(limitBytes), giveUpOldest })
  }

  get memoryBytes(): number {
    return this.#memory.bytes
  }

  /** What it returns is to be kept before the next is built. */
  build({ list, audioSource }: SegmentDrafts, place: SegmentPlace): readonly BuiltSegment[] {
    return this.#state.renditions.flatMap((owner, index) => {
      const draft = list[index]
      const built: BuiltSegment[] = [{ owner, plain: draft && this.#build(owner, draft, place.shared) }]
      const taken = owner === audioSource ? draft : undefined
      return [...built, ...owner.furtherAudio.map((audio) => buildAudio(owner, audio, taken, place))]
    })
  }

  /**
   * `parts`: of each that has been built, encrypted with `key` if there is one. By name of the rendition; one that is
   * not in it has a gap.
   */
  keep(
    built: readonly BuiltSegment[],
    parts: readonly (readonly Uint8Array[])[],
    key?: SegmentKey,
  ): ReadonlyMap<string, SegmentMedia> {
    // Room for one may be made by giving up the last segment that needs an initialisation section.
    const kept = built.map(({ plain }, index) => plain && this.#keep(parts[index]!))
    const media = new Map<string, SegmentMedia>()
    for (const [index, { owner, plain }] of built.entries()) {
      const bytes = kept[index]
      if (plain === undefined || bytes === undefined) owner.skip()
      else {
        const { iframe, tables, isIndependent } = plain
        const shown = iframe && { ...iframe, init: this.#state.inits.nameOf(tables) }
        media.set(owner.name, { kept: bytes, isIndependent, ...(key && { key }), ...(shown && { iframe: shown }) })
      }
    }
    return media
  }

  #build(
    { builder, audio }: Rendition,
    { slice, taken, flow }: SegmentDraft,
    shared: Numbers | undefined,
  ): PlainSegment | undefined {
    const { first, isBroken } = slice
    // The excess of a long GOP.
    if (this.#state.host.settings.isIndependent && !first.isPoint) return undefined
    const { lacking, isIndependent } = first
    const others = audio.slice(1).map(({ track }) => track.pid)
    const head = others.length === 0 ? flow.head : flow.head.only(({ pid }) => !others.includes(pid))
    const built = builder.build({ head, parts: taken, lacking, isBroken, isNew: first.isNew, shared })
    const silence = [...flow.silence].flatMap(([pid, packets]) => (others.includes(pid) ? [] : [packets]))
    const parts = [...built, ...silence]
    const iframe = first.isPoint ? findIframe(parts, head.lead) : undefined
    return { parts, tables: parts[0]!, isIndependent, iframe }
  }

  #keep(parts: readonly Uint8Array[]): KeptMedia | undefined {
    const kept = this.#memory.keep(parts, this.#state.host.settings.memoryBytes)
    if (kept === undefined) {
      this.#state.counters.withoutMemory++
      this.#state.warn('memory', { renditions: this.#state.renditions.length })
    }
    return kept && this.#state.history.wrap(kept)
  }
}

/** `draft`: of the rendition that it is taken from; undefined if it has nothing, or is taken from no more. */
function buildAudio(
  rendition: Rendition,
  audio: AudioRendition,
  draft: SegmentDraft | undefined,
  place: SegmentPlace,
): BuiltSegment {
  const isThere = rendition.audio.some((each) => each.rendition === audio)
  if (draft === undefined || !isThere) return { owner: audio, plain: undefined }
  const { flow, taken, slice } = draft
  const parts = audio.build(flow, taken, { ...place, isBroken: slice.isBroken })
  return { owner: audio, plain: parts && { parts, tables: parts[0]!, isIndependent: true, iframe: undefined } }
}
