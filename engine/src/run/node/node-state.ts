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

export class CurrentState {
  /** The state now, and each later one. Subscribers are called within the change. */
  readonly state$: Observable<StateSnapshot>
  readonly #current: BehaviorSubject<StateSnapshot>

  constructor(nowMs: number) {
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

  /** False if nothing has changed. */
  set(state: NodeState, why: string, nowMs: number): boolean {
    const { now } = this
    if (now.state === state && now.why === why) return false
    this.#current.next({ state, why, sinceMs: nowMs })
    return true
  }
}
