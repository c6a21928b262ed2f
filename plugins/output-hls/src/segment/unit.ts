// What a rendition can be cut at.
import type { ProgramHead } from './program-head.js'

/** An access unit of the track that leads. */
export interface Unit {
  readonly pts90k: number
  /** Position of its first byte in everything that the collector has kept; a point includes the tables before it. */
  readonly at: number
  /** A decoder can start here. */
  readonly isPoint: boolean
  /** Nothing after it in the stream refers to what is before it: IDR, CRA and the like; audio. */
  readonly isIndependent: boolean
  /** It is shown after all units before it, so that a cut here shortens nothing. */
  readonly isLatest: boolean
  /** Data before it is missing: the time at which that data ended. */
  readonly brokenAt90k: number | undefined
  /** A decoder of what is before it cannot continue: tracks, codecs or parameter sets differ. */
  readonly isNew: boolean
  readonly receivedAtMs: number
  readonly head: ProgramHead
  /** Of a point: packets that a decoder which starts there lacks. */
  readonly lacking: Uint8Array | undefined
}
