// Hears the splice information (ANSI/SCTE 35) in the chunks of one rendition.
import { hasPayload, isUnitStart, PACKET_SIZE, payloadOffset, readPid, SectionAssembler } from '@millrace/media/mpegts'
import { parseSpliceInfo, type SpliceInfo } from '@millrace/media/scte35'
import type { AnyChunk, Track } from '@millrace/engine/plugin'

/** What came in one section. */
export interface HeardSplice {
  readonly info: SpliceInfo
  /** The whole section. */
  readonly section: Uint8Array
}

/** A program has one or two. */
const MAX_PIDS = 4
const NOTHING: readonly HeardSplice[] = []

export class SpliceListener {
  #tracks: readonly Track[] | undefined
  #assemblers: ReadonlyMap<number, SectionAssembler> = new Map()

  /** `tracks`: those of the rendition now. */
  push({ bytes, discontinuity }: AnyChunk, tracks: readonly Track[]): readonly HeardSplice[] {
    if (tracks !== this.#tracks) this.#follow(tracks)
    if (this.#assemblers.size === 0) return NOTHING
    if (discontinuity !== false) for (const each of this.#assemblers.values()) each.reset()
    const heard: HeardSplice[] = []
    const onSection = (section: Uint8Array, length: number): void => {
      const info = parseSpliceInfo(section, length)
      if (info !== undefined) heard.push({ info, section: section.slice(0, length) })
    }
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const assembler = this.#assemblers.get(readPid(bytes, at))
      if (assembler === undefined || !hasPayload(bytes, at)) continue
      assembler.push(bytes, payloadOffset(bytes, at), at + PACKET_SIZE, isUnitStart(bytes, at), onSection)
    }
    return heard
  }

  #follow(tracks: readonly Track[]): void {
    this.#tracks = tracks
    const pids = tracks.filter(({ codec }) => codec === 'scte35').map(({ pid }) => pid)
    this.#assemblers = new Map(
      pids.slice(0, MAX_PIDS).map((pid) => [pid, this.#assemblers.get(pid) ?? new SectionAssembler()]),
    )
  }
}
