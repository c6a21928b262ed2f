// The state of a node as people see it, with its start time and reason, and as a stream of its changes. It follows from
// two things: what the node or the engine has reported, and, for an input, whether packets come.
import { BehaviorSubject, type Observable } from 'rxjs'
import type { NodeState } from '../../observe/status.js'
import type { Clock } from '../../plugin/tokens.js'

export interface StateSnapshot {
  readonly state: NodeState
  /** Why it is not `ready`; empty when it is. */
  readonly why: string
  /** Monotonic: since when; of a node that is opening or waiting, since it has not worked. */
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

/** Between them a node does not work: how long it has not is what counts, not when it was tried last. */
const DOWN: ReadonlySet<NodeState> = new Set(['opening', 'waiting'])
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
  #overload: string | undefined
  /** Why an input that holds its resources has nobody to receive from; undefined if it has. */
  #vacancy: string | undefined
  /** Why the packets of an input are of no use to viewers; empty if they are. */
  #obstacle = ''
  /** What an input no longer sends, though viewers can start; empty if nothing. */
  #missing = ''
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

  /** Nobody sends to an input that holds its resources. By default, and if undefined, somebody does. */
  setVacancy(why: string | undefined): void {
    if (why === this.#vacancy) return
    this.#vacancy = why
    this.#update()
  }

  /** It holds its resources, and somebody sends to it, or is not expected to. */
  get isConnected(): boolean {
    return this.now.holdsResources && this.#vacancy === undefined
  }

  /** Why an input that receives packets works, but not as it should. By default, and if undefined, it does. */
  setOverload(why: string | undefined): void {
    if (why === this.#overload) return
    this.#overload = why
    this.#update()
  }

  /** By default, and if empty, viewers can start in what an input sends. */
  setObstacle(why: string): void {
    this.#obstacle = why
    this.#update()
  }

  /** By default, and if empty, all comes that has come and is still announced. */
  setMissing(why: string): void {
    this.#missing = why
    this.#update()
  }

  /** What an input lacks, in words of the engine: no packets, or none that are of use. Empty if it lacks nothing. */
  get lack(): string {
    return this.#vacancy ?? this.#silence?.why ?? this.#obstacle
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
    return this.#reported.state === 'ready' && this.#silence?.isNew === true && this.#vacancy === undefined
  }

  get #lacks(): string {
    return [this.#obstacle, this.#missing, this.#overload ?? ''].filter((why) => why !== '').join(', ')
  }

  #update(): void {
    const { now } = this
    const { clock, announce, leave } = this.#settings
    const holdsResources = HOLDS_RESOURCES.has(this.#reported.state)
    const isVacant = this.#vacancy !== undefined && this.#reported.state === 'ready'
    const next: Report = isVacant
      ? { state: 'waiting', why: this.#vacancy ?? '' }
      : shown(this.#reported, this.#silence, this.#lacks)
    const isSame = now.state === next.state && now.why === next.why
    const isDown = DOWN.has(now.state) && DOWN.has(next.state)
    const sinceMs = isSame || isDown ? now.sinceMs : clock.nowMs()
    leave(() => {
      if (!isSame || now.holdsResources !== holdsResources) this.#current.next({ ...next, sinceMs, holdsResources })
      if (!isSame && this.#isAnnounced && !this.#isTooEarly) announce(next.state, next.why)
    })
  }
}

/** A node that only holds its resources is not ready. One that is idle waits by design. */
function shown(reported: Report, silence: Silence | undefined, lacks: string): Report {
  if (silence === undefined) {
    if (lacks === '' || !HOLDS_RESOURCES.has(reported.state)) return reported
    return { state: 'degraded', why: reported.why === '' ? lacks : `${reported.why}, ${lacks}` }
  }
  if (reported.state === 'ready') return { state: 'waiting', why: `connected, ${silence.why}` }
  if (reported.state === 'degraded') return { state: 'waiting', why: `${reported.why}, ${silence.why}` }
  return reported
}
