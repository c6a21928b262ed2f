// The state of a node as the status shows it, with its start time and reason.
import type { NodeState } from '../../observe/status.js'

export class CurrentState {
  state: NodeState = 'opening'
  why = ''
  /** Monotonic. */
  sinceMs: number
  #whenChanged: (() => void)[] = []

  constructor(nowMs: number) {
    this.sinceMs = nowMs
  }

  /** The node is open, or about to be. */
  get isLive(): boolean {
    return this.state === 'opening' || this.state === 'ready' || this.state === 'degraded'
  }

  /** False if nothing has changed. */
  set(state: NodeState, why: string, nowMs: number): boolean {
    if (this.state === state && this.why === why) return false
    this.state = state
    this.why = why
    this.sinceMs = nowMs
    for (const resolve of this.#whenChanged.splice(0)) resolve()
    return true
  }

  /** Resolves at the next change. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#whenChanged.push(resolve))
  }
}
