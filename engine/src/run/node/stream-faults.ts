// What is wrong with the stream of an input although packets come: no viewer can start in it, or what is announced does not
// come. Each fault is in the state while it lasts, and said once in the log; a picture that comes and goes once a minute.
import { LogLimit } from '../../observe/log-limit.js'
import type { Logger } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import type { CurrentState } from './node-state.js'
import type { SourceFraming } from './source-framing.js'

const AGAIN_AFTER_MS = 60_000

export class StreamFaults {
  readonly #current: CurrentState
  readonly #log: () => Logger
  #obstacle = ''
  #missing = ''
  /** What was logged last: pictures of radio come now and then. */
  #told = ''
  readonly #lines: LogLimit

  constructor(current: CurrentState, log: () => Logger, clock: Pick<Clock, 'nowMs'>) {
    this.#current = current
    this.#lines = new LogLimit(clock, AGAIN_AFTER_MS)
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
    this.#lines.log((leftOut) => this.#log().warn({ why, ...leftOut }, 'an announced track is silent'))
  }
}
