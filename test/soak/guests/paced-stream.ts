// Gives the packets of a clip at the speed of the clip, a few at a time.
import { EndlessClip } from './endless-clip.js'

const EVERY_MS = 40
/** All tracks end here together: whole frames of 25 pictures a second and of AAC at 48 kHz. */
export const GUEST_CLIP_MS = 8000

export class PacedStream implements Disposable {
  readonly #timer: NodeJS.Timeout

  /** `onPackets` is called with fresh memory. */
  constructor(clip: Uint8Array, start90k: number, onPackets: (packets: Buffer) => void) {
    const endless = new EndlessClip(clip, GUEST_CLIP_MS, start90k)
    const startMs = performance.now()
    this.#timer = setInterval(() => {
      const packets = endless.read(performance.now() - startMs)
      if (packets.length > 0) onPackets(packets)
    }, EVERY_MS)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
