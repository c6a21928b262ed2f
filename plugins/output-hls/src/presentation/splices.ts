// The splices of an output: heard in the first rendition that has them, cut at in all of them, and shown as date ranges.
import type { AnyChunk } from '@millrace/engine/plugin'
import { SpliceRanges } from '../playlist/splice-ranges.js'
import type { Rendition } from '../rendition.js'
import { SpliceListener } from '../segment/splice-listener.js'

export class Splices {
  readonly ranges = new SpliceRanges()
  readonly #listener = new SpliceListener()

  /** Call it for each chunk of each rendition. False: a splice's time is not on the clock of the stream. */
  push(rendition: Rendition, chunk: AnyChunk, renditions: readonly Rendition[]): boolean {
    const { tracks, latest90k } = rendition.collector
    if (latest90k < 0 || renditions.find(hasSplices) !== rendition) return true
    let arePlaced = true
    for (const heard of this.#listener.push(chunk, tracks)) {
      arePlaced = this.ranges.hear(heard, latest90k) && arePlaced
    }
    return arePlaced
  }
}

function hasSplices({ collector }: Rendition): boolean {
  return collector.tracks.some(({ codec }) => codec === 'scte35')
}
