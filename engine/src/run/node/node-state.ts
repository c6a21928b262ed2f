// The state of a node as people see it, with its start time and reason, and as a stream of its changes. It follows from
// two things: what the node or the engine has reported, and, for an input, whether packets come.
import { BehaviorSubject, type Observable } from 'rxjs'
import type { NodeState } from '../../observe/status.js'
import type { Clock } from '../../plugin/tokens.js'

export interface StateSnapshot {
  readonly state: NodeState
  /** Why it is not `ready`; empty when it is. */
  readonly why: string
  /** Monotonic: since when. */
  readonly sinceMs: number
  /** The node has reported that it holds its resources. True, too, for an input that is `waiting` for packets. */
  readonly holdsResources: boolean
}

/** No packets come from an input. */
export interface Silence {
  readonly why: string
  /** The source has just connected: it is too early for an event. */
  readonly isNew: boolean
}

export interface StateSettings {
  readonly clock: Clock
  readonly isStandby: boolean
  /** Announces a change of state, as an event. */
  announce(state: NodeState, why: string): void
  /** Runs code of the engine: subscribers of the state, and of the event. */
  leave(run: () => void): void
}

type Report = Pick<StateSnapshot, 'state' | 'why'>

const HOLDS_RESOURCES: ReadonlySet<NodeState> = new Set(['ready', 'idle', 'degraded'])

export class CurrentState {
  /** The state now, and each later one. Subscribers are called within the change. */
  readonly state$: Observable<StateSnapshot>
  readonly #current: BehaviorSubject<StateSnapshot>
  readonly #settings: StateSettings
  /** It is the state of the node that the graph knows by this id; a standby node and a replaced one announce nothing. */
  #isAnnounced: boolean
  /** What the node or the engine has reported last. */
  #reported: Report = { state: 'opening', why: '' }
  #silence: Silence | undefined
  /** When it became ready or idle; -1 while it is down. */
  #upAtMs = -1

  constructor(settings: StateSettings) {
    this.#settings = settings
    this.#isAnnounced = !settings.isStandby
    const sinceMs = settings.clock.nowMs()
    this.#current = new BehaviorSubject<StateSnapshot>({ ...this.#reported, sinceMs, holdsResources: false })
    this.state$ = this.#current.asObservable()
  }

  get now(): StateSnapshot {
    return this.#current.value
  }

  /** The node is open, or about to be. */
  get isLive(): boolean {
    return this.#reported.state === 'opening' || this.now.holdsResources
  }

  /** The last report was this one. */
  isReported(state: NodeState, why = this.#reported.why): boolean {
    return this.#reported.state === state && this.#reported.why === why
  }

  /** How long it has been up since its last failure; 0 while it is down. */
  get upMs(): number {
    return this.#upAtMs < 0 ? 0 : this.#settings.clock.nowMs() - this.#upAtMs
  }

  set(state: NodeState, why: string): void {
    this.#reported = { state, why }
    if (state === 'waiting') this.#upAtMs = -1
    else if (this.#upAtMs < 0 && (state === 'ready' || state === 'idle')) this.#upAtMs = this.#settings.clock.nowMs()
    this.#update()
  }

  /** By default, and if undefined, packets come, or the node is no input. */
  setSilence(silence: Silence | undefined): void {
    this.#silence = silence
    this.#update()
  }

  /**
   * The standby node is in the graph. `before` is the state of the node that it replaces, which announces nothing from
   * now on. A state that differs from that one is announced, and any state under a new id.
   */
  activate(before: CurrentState | undefined, hasSameId: boolean): void {
    if (before !== undefined) before.#isAnnounced = false
    this.#isAnnounced = true
    const { state, why } = this.now
    const isKnown = hasSameId && state === before?.now.state
    if (state === 'opening' || isKnown || this.#isTooEarly) return
    this.#settings.leave(() => this.#settings.announce(state, why))
  }

  /** It is `waiting` only because the source has just connected. */
  get #isTooEarly(): boolean {
    return this.#reported.state === 'ready' && this.#silence?.isNew === true
  }

  #update(): void {
    const { now } = this
    const { clock, announce, leave } = this.#settings
    const next = shown(this.#reported, this.#silence)
    const holdsResources = HOLDS_RESOURCES.has(this.#reported.state)
    const isSame = now.state === next.state && now.why === next.why
    const sinceMs = isSame ? now.sinceMs : clock.nowMs()
    leave(() => {
      if (!isSame || now.holdsResources !== holdsResources) this.#current.next({ ...next, sinceMs, holdsResources })
      if (!isSame && this.#isAnnounced && !this.#isTooEarly) announce(next.state, next.why)
    })
  }
}

/** A node that only holds its resources is not ready. One that is idle waits by design. */
function shown(reported: Report, silence: Silence | undefined): Report {
  if (silence === undefined) return reported
  if (reported.state === 'ready') return { state: 'waiting', why: `connected, ${silence.why}` }
  if (reported.state === 'degraded') return { state: 'waiting', why: `${reported.why}, ${silence.why}` }
  return reported
}
