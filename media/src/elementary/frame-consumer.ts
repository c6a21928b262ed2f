// Who takes the tracks and frames of one stream, from whatever container they come.
import type { Frame } from './frame.js'
import type { Track } from './track.js'

/** Calls come in stream order, from inside the `push` of the reader, and must not throw. */
export interface FrameConsumer {
  /** Tables or metadata announce a track of this kind. It may come late, or never: wait for it a second at most. */
  expected(kind: Track['kind']): void
  /** A track exists from here on, or its configuration is another one: then its object replaces that of the same id. */
  track(track: Track): void
  /** The track sends no more: the tables of the stream no longer name it. */
  ended(track: Track): void
  /** Valid during the call only: object and bytes are used again. */
  frame(frame: Frame): void
  /** The next frames do not continue the previous ones: data is missing, or the clock jumped. */
  discontinuity(): void
  /** Once for each codec that is not carried, by the name it has in its container. */
  unsupported(kind: Track['kind'], codec: string): void
}

/** Counted by readers; damaged media never throws. */
export interface ReadCounters {
  frames: number
  /** Access units and audio frames that were damaged or incomplete, and dropped. */
  damaged: number
  /** Dropped because they exceed a bound. */
  tooLarge: number
  /** Dropped because nothing has configured a decoder so far. */
  unconfigured: number
}
