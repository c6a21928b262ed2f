// What a framer is made with.
import type { Framer } from './framer.js'

export interface FramerOptions {
  /** The program that leads; by default any: video before audio, what flows before what does not. */
  readonly program?: number
  /** How long an announced PID may be silent before it leads no more; by default 2 s. */
  readonly probeMs?: number
  /** The framer of the previous generation. */
  readonly before?: Framer
  readonly generation?: number
  /** `origin.seq` of the first chunk. */
  readonly firstSeq?: number
}
