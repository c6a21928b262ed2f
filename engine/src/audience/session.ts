// One viewer of an output: who it is, what it was sent, and how its session ends.
import type { ClientStatus } from '../observe/status.js'
import type { SessionEnd, SessionStart } from '../observe/viewer-events.js'
import { printable } from '../observe/printable.js'
import type { Session, SessionCallbacks, SessionView, Who } from '../plugin/audience.js'

/** In characters. Longer texts of clients are cut: each session keeps its own copies. */
const MAX_TEXT = 256
const READING: SessionView = { state: 'reading' }

/** What a session needs of its audience. */
export interface SessionHost {
  /** Id of the output. */
  readonly id: string
  onSent(bytes: number): void
  onEnd(session: OpenSession, end: SessionEnd, isRefused: boolean): void
  nowMs(): number
}

export class OpenSession implements Session {
  readonly id: string
  readonly who: Who
  readonly startedMs: number
  isOver = false
  /** Of a session that is known by its key. */
  key: string | undefined
  /** Called once, when it is over. By default nothing happens. */
  onOver: (() => void) | undefined
  readonly #host: SessionHost
  readonly #callbacks: SessionCallbacks
  #bytes = 0

  constructor(id: string, who: Who, callbacks: SessionCallbacks, host: SessionHost) {
    this.id = id
    this.who = keptOf(who)
    this.startedMs = host.nowMs()
    this.#callbacks = callbacks
    this.#host = host
  }

  sent(bytes: number): void {
    if (this.isOver) return
    this.#bytes += bytes
    this.#host.onSent(bytes)
  }

  end(reason: string, refusedWith?: number): void {
    if (this.isOver) return
    const { bytes, skips, skippedBytes } = this.#view()
    this.isOver = true
    const isRefused = refusedWith !== undefined
    const status = refusedWith ?? (bytes > 0 ? 200 : 0)
    const durationMs = isRefused ? 0 : Math.round(this.#host.nowMs() - this.startedMs)
    const outcome = { status, bytes: isRefused ? 0 : bytes, durationMs, skips, skippedBytes, reason }
    this.#host.onEnd(this, { ...startOf(this.id, this.#host.id, this.who), ...outcome }, isRefused)
    this.onOver?.()
  }

  kick(): void {
    this.#callbacks.onKick?.()
    this.end('kicked')
  }

  /** `wallMs`: the Unix time of a monotonic one. */
  describe(wallMs: (monotonicMs: number) => number): ClientStatus {
    const { protocol, client, user, agent, place } = this.who
    return {
      id: this.id,
      node: this.#host.id,
      protocol,
      client,
      ...(user === undefined ? {} : { user }),
      ...(agent === '' ? {} : { userAgent: printable(agent) }),
      path: printable(place),
      since: new Date(wallMs(this.startedMs)).toISOString(),
      ...this.#view(),
    }
  }

  #view(): Required<SessionView> {
    const {
      state,
      bytes = this.#bytes,
      behindBytes = 0,
      skips = 0,
      skippedBytes = 0,
    } = this.#callbacks.describe?.() ?? READING
    return { state, bytes, behindBytes, skips, skippedBytes }
  }
}

/** The start of a session as watchers see it. `id` is empty for a viewer that is refused. */
export function startOf(id: string, node: string, { place, client, user, agent }: Who): SessionStart {
  return { id, node, path: place, client, user, userAgent: agent }
}

/** With texts of its own: a part of a request's text would keep the whole request in memory. */
export function keptOf({ protocol, listener, client, address, user, agent, place }: Who): Who {
  return { protocol, listener, client, address, user, agent: copyOf(agent), place: copyOf(place) }
}

function copyOf(text: string): string {
  return Buffer.from(text.slice(0, MAX_TEXT), 'utf8').toString('utf8')
}
