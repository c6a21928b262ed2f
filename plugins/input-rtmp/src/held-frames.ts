// Frames that wait for the first PMT, since a track is announced and has not come: a second at most, and within a bound.
import type { Frame } from '@millrace/media/elementary'

export const MAX_WAIT_MS = 1000
const MAX_BYTES = 4 * 1024 * 1024
/** What a frame takes besides its bytes. */
const FRAME_BYTES = 512

export class HeldFrames {
  #frames: (Frame | 'break')[] = []
  #bytes = 0
  #sinceMs: number | undefined

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  /** The frame is copied. */
  push(frame: Frame, nowMs: number): void {
    const { bytes, units, unitCount } = frame
    this.#sinceMs ??= nowMs
    this.#frames.push({ ...frame, bytes: bytes.slice(), units: units.slice(0, 2 * unitCount) })
    this.#bytes += bytes.length + FRAME_BYTES
  }

  /** The frames that follow belong to another clock. */
  pushBreak(): void {
    if (this.#frames.length === 0 || this.#frames.at(-1) === 'break') return
    this.#frames.push('break')
    this.#bytes += FRAME_BYTES
  }

  /** They have waited as long as they may. */
  isDue(nowMs: number): boolean {
    return this.#bytes > MAX_BYTES || (this.#sinceMs !== undefined && nowMs - this.#sinceMs >= MAX_WAIT_MS)
  }

  take(): readonly (Frame | 'break')[] {
    const frames = this.#frames
    this.#frames = []
    this.#bytes = 0
    return frames
  }
}
