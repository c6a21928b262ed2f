import type { Frame } from './frame.js'
import type { Track } from './track.js'

/** The one object that a reader fills again for every frame. */
export function newFrame(track: Track): Frame {
  const flags = { isRandomAccess: false, isDisposable: false }
  return { track, bytes: new Uint8Array(0), units: new Int32Array(0), unitCount: 0, pts90k: 0, dts90k: 0, ...flags }
}
