// What the log says of a node that is not well: a reason once, again after a minute if it lasts or differs in its numbers
// only, and its recovery.
import type { Observable } from 'rxjs'
import { LogLimit } from '../../observe/log-limit.js'
import type { NodeState } from '../../observe/status.js'
import type { Logger } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'

const SAME_AGAIN_MS = 60_000

export class NodeTrouble {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #log: () => Logger
  /** Of any reason: a plugin can report another one each time. */
  readonly #lines: LogLimit
  #kind = ''
  #sameKind: LogLimit
  /** The reason in the latest line, until the node is well again. */
  #logged: string | undefined

  constructor(clock: Pick<Clock, 'nowMs'>, log: () => Logger) {
    this.#clock = clock
    this.#log = log
    this.#lines = new LogLimit(clock)
    this.#sameKind = new LogLimit(clock, SAME_AGAIN_MS)
  }

  /** The state that people see: of an input, it is ready once packets come. */
  follow(state$: Observable<{ readonly state: NodeState }>): void {
    state$.subscribe(({ state }) => {
      if (state === 'ready') this.noteReady()
    })
  }

  noteDegraded(why: string): void {
    const kind = why.replaceAll(/\d+/g, '0')
    if (kind !== this.#kind) this.#sameKind = new LogLimit(this.#clock, SAME_AGAIN_MS)
    this.#kind = kind
    this.#sameKind.log((same) =>
      this.#lines.log((others) => {
        this.#log().warn({ why, ...others, ...same }, 'degraded')
        this.#logged = why
      }),
    )
  }

  /** It is tried again later. */
  noteWaiting(details: object, why: string): void {
    this.#log().warn(details, why)
    this.#logged = why
  }

  /** Nobody sends to an input that is open, or no packets come. */
  noteVacancy(why: string): void {
    if (why === this.#logged) return
    this.#lines.log((others) => this.#log().warn({ why, ...others }, 'waiting'))
    this.#logged = why
  }

  /** It works again: of an input, packets come. */
  noteReady(): void {
    if (this.#logged === undefined) return
    this.#log().info({ after: this.#logged }, 'ready again')
    this.#logged = undefined
  }
}
