// Ends a process group: a signal, and SIGKILL after the grace time. Knows when the group has no member left.
import type { StopSignal } from '../plugin/processes.js'
import type { Clock } from '../plugin/tokens.js'
import { hasLiveMember } from './group-members.js'
import { signalGroup } from './process-group.js'

/** While the group has no first process: nothing tells when its other members end. */
const POLL_MS = 25
/** How often it looks whether all members have ended, and nobody has asked for their exit codes. */
const LOOK_MS = 100
/** A group may stay although it was killed: its members hang in the kernel. */
const KILLED_MS = 1000
/** For members that are left when the first process has ended by itself. */
const GRACE_MS = 2000

export class EndingGroup {
  isGone = false
  readonly #group: number
  readonly #clock: Clock
  readonly #onGone: () => void
  #hasExited = false
  #killAtMs = Infinity
  #kill: Disposable | undefined
  #polling: Disposable | undefined
  #lookAtMs = 0

  /** `group`: the number of its first process, which is running. */
  constructor(group: number, clock: Clock, onGone: () => void) {
    this.#group = group
    this.#clock = clock
    this.#onGone = onGone
  }

  /** Ends all of it. A second call can shorten the time, and sends its signal too. */
  end(signal: StopSignal, graceMs: number): void {
    if (this.isGone) return
    signalGroup(this.#group, signal)
    this.#killAfter(signal === 'SIGKILL' ? 0 : graceMs)
    this.#check()
  }

  /** The first process has ended: the others have this long to follow, then they are ended. */
  noteExit(withinMs: number): void {
    this.#hasExited = true
    this.#check()
    if (this.isGone) return
    const byMs = this.#clock.nowMs() + withinMs
    this.#polling = this.#clock.every(POLL_MS, () => {
      this.#check()
      if (!this.isGone && this.#killAtMs === Infinity && this.#clock.nowMs() >= byMs) this.end('SIGTERM', GRACE_MS)
    })
  }

  #killAfter(graceMs: number): void {
    const atMs = this.#clock.nowMs() + graceMs
    if (atMs >= this.#killAtMs) return
    this.#killAtMs = atMs
    this.#kill?.[Symbol.dispose]()
    this.#kill = this.#clock.after(graceMs, () => signalGroup(this.#group, 'SIGKILL'))
  }

  /** Only once the first process has ended, so that its number cannot belong to anything else. */
  #check(): void {
    if (!this.#hasExited || this.isGone) return
    const isLost = this.#clock.nowMs() > this.#killAtMs + KILLED_MS
    if (!isLost && signalGroup(this.#group, 0)) return this.#look()
    this.#finish()
  }

  /** In a container without an init, processes whose parent has ended stay zombies, and keep the group. */
  #look(): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#lookAtMs) return
    this.#lookAtMs = Infinity
    void hasLiveMember(this.#group).then((isAlive) => {
      this.#lookAtMs = this.#clock.nowMs() + LOOK_MS
      if (!isAlive) this.#finish()
    })
  }

  #finish(): void {
    if (this.isGone) return
    this.isGone = true
    this.#kill?.[Symbol.dispose]()
    this.#polling?.[Symbol.dispose]()
    this.#onGone()
  }
}
