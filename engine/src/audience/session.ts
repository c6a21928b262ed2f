// One viewer of an output: who it is, what it was sent, and how its session ends.
import type { ClientStatus } from '../observe/status.js'
import type { SessionEnd, SessionStart } from '../observe/viewer-events.js'
import { printable } from '../observe/printable.js'
import type { Session, SessionCallbacks, SessionView, Who } from '../plugin/audience.js'

/** In characters. Longer texts of clients are cut: each session keeps its own copies. */
const MAX_TEXT = 256
const MAX_REASON = 64
const STATES: ReadonlySet<unknown> = new Set<SessionView['state']>(['waiting', 'reading', 'seeking', 'ending'])

/** What a session needs of its audience. */
export interface SessionHost {
  /** Id of the output. */
  readonly id: string
  onSent(bytes: number): void
  onEnd(session: OpenSession, end: SessionEnd, isRefused: boolean): void
  nowMs(): number
}

/** How a session that is known by its key is used. */
export interface SessionUse {
  onSent(): void
  onBusy(change: 1 | -1): void
  /** Called once. */
  onOver(): void
}

export class OpenSession implements Session {
  readonly id: string
  readonly who: Who
  readonly startedMs: number
  isOver = false
  /** By default nobody has been told that it is there. */
  isAnnounced = false
  /** Of a session that is known by its key. */
  use: SessionUse | undefined
  callbacks: SessionCallbacks
  readonly #host: SessionHost
  #bytes = 0

  constructor(id: string, who: Who, callbacks: SessionCallbacks, host: SessionHost) {
    this.id = id
    this.who = keptOf(who)
    this.startedMs = host.nowMs()
    this.callbacks = callbacks
    this.#host = host
  }

  sent(bytes: number): void {
    if (!Number.isFinite(bytes) || bytes < 0) throw new RangeError(`${bytes} is not a number of bytes`)
    // The response of a session that has ended may still be under way.
    this.#host.onSent(bytes)
    if (this.isOver) return
    this.#bytes += bytes
    this.use?.onSent()
  }

  busy(): Disposable {
    const { use } = this
    use?.onBusy(1)
    let isBusy = true
    return {
      [Symbol.dispose]: () => {
        if (isBusy) use?.onBusy(-1)
        isBusy = false
      },
    }
  }

  end(reason: string, refusedWith?: number): void {
    if (this.isOver) return
    this.isOver = true
    const { bytes, skips, skippedBytes } = this.#view()
    const isRefused = refusedWith !== undefined
    const status = refusedWith ?? (bytes > 0 ? 200 : 0)
    const durationMs = isRefused ? 0 : Math.round(this.#host.nowMs() - this.startedMs)
    const outcome = { status, bytes: isRefused ? 0 : bytes, durationMs, skips, skippedBytes }
    const end = { ...startOf(this.id, this.#host.id, this.who), ...outcome, reason: copyOf(reason, MAX_REASON) }
    this.use?.onOver()
    this.#host.onEnd(this, end, isRefused)
  }

  kick(): void {
    this.callbacks.onKick?.()
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
    const view = this.callbacks.describe?.()
    return { ...readView(view), bytes: numberOf(view?.bytes) ?? this.#bytes }
  }
}

/** What can be shown of a view, whatever its output has made of it. Throws what reading it throws. */
export function readView(view: SessionView | undefined): Omit<Required<SessionView>, 'bytes'> & { bytes?: number } {
  const { state, bytes, behindBytes, skips, skippedBytes }: Partial<SessionView> = view ?? {}
  const sent = numberOf(bytes)
  return {
    state: STATES.has(state) ? state! : 'reading',
    ...(sent === undefined ? {} : { bytes: sent }),
    behindBytes: numberOf(behindBytes) ?? 0,
    skips: numberOf(skips) ?? 0,
    skippedBytes: numberOf(skippedBytes) ?? 0,
  }
}

/** The start of a session as watchers see it. `id` is empty for a viewer that is refused. */
export function startOf(id: string, node: string, { place, client, user, agent }: Who): SessionStart {
  return { id, node, path: place, client, user, userAgent: agent }
}

/** With texts of its own: a part of a request's text would keep the whole request in memory. */
export function keptOf({ protocol, listener, client, address, user, agent, place }: Who): Who {
  return {
    protocol: copyOf(protocol),
    listener: copyOf(listener),
    client: copyOf(client),
    address: copyOf(address),
    user: user === undefined ? undefined : copyOf(user),
    agent: copyOf(agent),
    place: copyOf(place),
  }
}

export function copyOf(text: string, most = MAX_TEXT): string {
  return Buffer.from(String(text).slice(0, most), 'utf8').toString('utf8')
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
