// The state of a node as the status shows it, with its start time and reason, and as a stream of its changes.
import { BehaviorSubject, type Observable } from 'rxjs'
import type { NodeState } from '../../observe/status.js'

export interface StateSnapshot {
  readonly state: NodeState
  /** Why it is not `ready`; empty when it is. */
  readonly why: string
  /** Monotonic: since when. */
  readonly sinceMs: number
}

/** Announces a change of state, as an event. */
type Announce = (state: NodeState, why: string) => void

export class CurrentState {
  /** The state now, and each later one. Subscribers are called within the change. */
  readonly state$: Observable<StateSnapshot>
  readonly #current: BehaviorSubject<StateSnapshot>
  readonly #announce: Announce
  /** It is the state of the node that the graph knows by this id; a standby node and a replaced one announce nothing. */
  #isAnnounced: boolean

  constructor(nowMs: number, isStandby: boolean, announce: Announce) {
    this.#announce = announce
    this.#isAnnounced = !isStandby
    this.#current = new BehaviorSubject<StateSnapshot>({ state: 'opening', why: '', sinceMs: nowMs })
    this.state$ = this.#current.asObservable()
  }

  get now(): StateSnapshot {
    return this.#current.value
  }

  /** The node is open, or about to be. */
  get isLive(): boolean {
    const { state } = this.now
    return state === 'opening' || state === 'ready' || state === 'degraded'
  }

  set(state: NodeState, why: string, nowMs: number): void {
    const { now } = this
    if (now.state === state && now.why === why) return
    this.#current.next({ state, why, sinceMs: nowMs })
    if (this.#isAnnounced) this.#announce(state, why)
  }

  /**
   * The standby node is in the graph. `before` is the state of the node that had its id until now. A state that differs
   * from that one is announced.
   */
  activate(before: CurrentState | undefined): void {
    if (before !== undefined) before.#isAnnounced = false
    this.#isAnnounced = true
    const { state, why } = this.now
    if (state !== 'opening' && state !== before?.now.state) this.#announce(state, why)
  }
}
