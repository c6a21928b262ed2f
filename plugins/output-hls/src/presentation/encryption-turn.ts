// The segment that is being encrypted: in slices, other work has its turn between them. There is at most one, so segments
// are listed in order.
import type { SegmentEncryption } from '../segment/segment-encryption.js'
import type { PresentationHost } from './presentation-host.js'

/** About a millisecond. A smaller segment is encrypted at once. */
const SLICE_BYTES = 1024 * 1024

interface Turn {
  readonly encryption: SegmentEncryption
  /** Called once, when all of it is encrypted. */
  readonly onDone: () => void
}

export class EncryptionTurn {
  #turn: Turn | undefined

  start(encryption: SegmentEncryption, onDone: () => void, host: Pick<PresentationHost, 'later'>): void {
    const turn = { encryption, onDone }
    this.#turn = turn
    this.#advance(turn, host)
  }

  /** Another node goes on with what is left. */
  goOn(host: Pick<PresentationHost, 'later'>): void {
    if (this.#turn === undefined) return
    // Turns of the node before do nothing from now on.
    const turn = { ...this.#turn }
    this.#turn = turn
    host.later(() => this.#advance(turn, host))
  }

  get isRunning(): boolean {
    return this.#turn !== undefined
  }

  /** Does what is left in slices, also when the timers of the node are over. Resolves when nothing is left. */
  async finished(): Promise<void> {
    for (let turn = this.#turn; turn !== undefined; turn = this.#turn) {
      turn.encryption.encrypt(SLICE_BYTES)
      if (turn.encryption.isDone) this.#end(turn)
      else await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }

  /**
   * Does what is left at once: 25 MiB may take 100 ms. Only for a segment that comes less than that after the one before,
   * as those of a file do, and for changes of the configuration.
   */
  finish(): void {
    const turn = this.#turn
    if (turn === undefined) return
    turn.encryption.encrypt(Infinity)
    this.#end(turn)
  }

  #advance(turn: Turn, host: Pick<PresentationHost, 'later'>): void {
    if (this.#turn !== turn) return
    turn.encryption.encrypt(SLICE_BYTES)
    if (turn.encryption.isDone) this.#end(turn)
    else host.later(() => this.#advance(turn, host))
  }

  #end({ onDone }: Turn): void {
    this.#turn = undefined
    onDone()
  }
}
