// What is wrong with the stream of an input although packets come: no viewer can start in it, or what is announced does not
// come. Each fault is said once, in the log and in the state.
import type { Logger } from '../../plugin/contract.js'
import type { CurrentState } from './node-state.js'
import type { SourceFraming } from './source-framing.js'

export class StreamFaults {
  readonly #current: CurrentState
  readonly #log: () => Logger
  #obstacle = ''
  #missing = ''
  /** What was logged last: pictures of radio come now and then. */
  #told = ''

  constructor(current: CurrentState, log: () => Logger) {
    this.#current = current
    this.#log = log
  }

  /** Called once a second. */
  note({ obstacle, silence }: Pick<SourceFraming, 'obstacle' | 'silence'>): void {
    if (obstacle !== this.#obstacle) {
      this.#obstacle = obstacle
      this.#current.setObstacle(obstacle)
      if (obstacle !== '') this.#log().warn({ why: obstacle }, 'no viewer can start')
    }
    this.#noteSilence(silence)
  }

  /** A picture that never came may be none by design: that is said, and no fault. */
  #noteSilence({ why, hasSent }: SourceFraming['silence']): void {
    const missing = hasSent ? why : ''
    const isNew = missing !== this.#missing
    if (isNew) {
      this.#missing = missing
      this.#current.setMissing(missing)
    }
    if (why === '' || (why === this.#told && !(isNew && hasSent))) return
    this.#told = why
    this.#log().warn({ why }, 'an announced track is silent')
  }
}
