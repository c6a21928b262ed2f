// One viewer of an output: who it is, what it was sent, and how its session ends.
import type { ClientStatus } from '../observe/status.js'
import type { SessionEnd, SessionStart } from '../observe/viewer-events.js'
import { printable } from '../observe/printable.js'
import type { ConnectionReport, PlayerReport, Session, SessionCallbacks, SessionView, Who } from '../plugin/audience.js'

/** In characters. Longer texts of clients are cut: each session keeps its own copies. */
const MAX_TEXT = 256
const MAX_LABEL = 64
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

  #view(): ReadView & { readonly bytes: number } {
    const view = this.callbacks.describe?.()
    return { ...readView(view), bytes: numberOf(view?.bytes) ?? this.#bytes }
  }
}

type Optional = 'bytes' | 'label' | 'player' | 'connection'
type ReadView = Required<Omit<SessionView, Optional>> & Pick<SessionView, Optional>

const PLAYER_NAMES = ['bufferMs', 'bitsPerSecond', 'throughputBitsPerSecond', 'stalls'] as const
const CONNECTION_NAMES = ['rttMs', 'latencyMs', 'lost', 'retransmitted', 'dropped', 'bufferMs'] as const

/** What can be shown of a view, whatever its output has made of it. Throws what reading it throws. */
export function readView(view: SessionView | undefined): ReadView {
  const { state, bytes, label, behindBytes, skips, skippedBytes, ...reports }: Partial<SessionView> = view ?? {}
  const sent = numberOf(bytes)
  const player = readReport<PlayerReport>(reports.player, PLAYER_NAMES)
  const connection = readReport<ConnectionReport>(reports.connection, CONNECTION_NAMES)
  return {
    state: STATES.has(state) ? state! : 'reading',
    ...(sent === undefined ? {} : { bytes: sent }),
    ...(typeof label === 'string' ? { label: printable(label.slice(0, MAX_LABEL)) } : {}),
    behindBytes: numberOf(behindBytes) ?? 0,
    skips: numberOf(skips) ?? 0,
    skippedBytes: numberOf(skippedBytes) ?? 0,
    ...(player === undefined ? {} : { player }),
    ...(connection === undefined ? {} : { connection }),
  }
}

/** Undefined if it says nothing. */
function readReport<T extends { readonly [K in keyof T]?: number }>(
  report: T | undefined,
  names: readonly (keyof T & string)[],
): T | undefined {
  if (report === undefined) return undefined
  const known = names.flatMap((name) => {
    const value = numberOf(report[name])
    return value === undefined ? [] : [[name, value] as const]
  })
  return known.length === 0 ? undefined : (Object.fromEntries(known) as unknown as T)
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
