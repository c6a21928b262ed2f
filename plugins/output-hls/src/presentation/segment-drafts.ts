// What a segment will have, before it is made: which tracks flow in it, how they are coded, and which of them become
// renditions of their own.
import { scanTracks } from '@millrace/media/formats'
import type { Slice } from '../playlist/planned-segment.js'
import type { Rendition } from '../rendition.js'
import type { Flow } from '../segment/flowing-tracks.js'

/** A segment of a rendition before it is made. */
export interface SegmentDraft {
  readonly slice: Slice
  /** Of the stream, between the ends of the slice. */
  readonly taken: readonly Uint8Array[]
  readonly flow: Flow
}

export interface SegmentDrafts {
  /** One for each rendition; undefined where it has nothing. */
  readonly list: readonly (SegmentDraft | undefined)[]
  /** Its further audio tracks are segments of their own, for all variants. */
  readonly audioSource: Rendition | undefined
  /** Tracks have fallen silent or begun to send: decoders start anew. */
  readonly hasChanged: boolean
  /** All tracks that are announced send. */
  readonly areComplete: boolean
}

interface DraftedCut {
  readonly start90k: number
  readonly ticks: number
  /** It does not continue what is before it. */
  readonly isNew: boolean
}

/** `slices`: one for each rendition. */
export function draftSegments(
  renditions: readonly Rendition[],
  slices: readonly (Slice | undefined)[],
  cut: DraftedCut,
): SegmentDrafts {
  const list = renditions.map((rendition, index) => {
    const slice = slices[index]
    return slice && draft(rendition, slice, cut)
  })
  // The first rendition with several audio tracks provides them.
  const audioSource = renditions.find(({ audio }) => audio.length > 1)
  audioSource?.openAudio()
  return {
    ...{ list, audioSource },
    hasChanged: list.some((each) => each?.flow.hasChanged === true),
    areComplete: list.every((each) => each === undefined || each.flow.isComplete),
  }
}

function draft(rendition: Rendition, slice: Slice, { isNew, ...span }: DraftedCut): SegmentDraft {
  const { collector, description, flow } = rendition
  const { head, lacking } = slice.first
  const taken = collector.take(slice.from, slice.to)
  if (isNew) {
    description.restart()
    flow.restart()
  }
  const parts = lacking === undefined ? taken : [lacking, ...taken]
  const scans = scanTracks(head.tracks, parts, (track, unit) => description.notePicture(track, unit))
  const noted = flow.note(head, scans, span)
  description.note(noted.head, scans, span.ticks)
  rendition.arrangeTracks()
  return { slice, taken, flow: noted }
}
