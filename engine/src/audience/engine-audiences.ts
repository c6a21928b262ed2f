// The viewers of all outputs: the limits across outputs, the lists of viewers, and kicks.
import { isNodeOrCopy } from '../graph/node-id.js'
import type { EventData } from '../observe/events.js'
import type { ClientStatus } from '../observe/status.js'
import { type SessionWatcher, SessionWatchers } from '../observe/viewer-events.js'
import type { AudienceOptions } from '../plugin/audience.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { type AudienceContext, OutputAudience } from './output-audience.js'
import type { OpenSession } from './session.js'
import { SessionIds } from './session-ids.js'
import { LogLimit } from '../observe/log-limit.js'
import { ViewerLines } from './viewer-lines.js'

export interface EngineAudiencesOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Maximum number of viewers of all outputs; 0 for no limit. */
  readonly maxClients: number
  /** Maximum number of viewers on a listener; 0 for no limit. By default none. */
  maxClientsOf?(listener: string): number
  /** Called when a limit of an output is reached (`limit_hit`), and when it no longer is (`limit_miss`). By default nothing. */
  onEvent?(event: { readonly kind: string; readonly node: string; readonly data: EventData }): void
}

interface Known {
  readonly session: OpenSession
  readonly audience: OutputAudience
}

const SWEEP_MS = 1000
const FULL_LINE_EVERY_MS = 10_000

export class EngineAudiences {
  /** A lower limit disconnects no one. */
  maxClients: number
  readonly #options: EngineAudiencesOptions
  readonly #ids = new SessionIds()
  readonly #watchers = new SessionWatchers()
  readonly #lines: ViewerLines
  readonly #fullLines: LogLimit
  readonly #audiences = new Set<OutputAudience>()
  /** Built on demand. */
  #byOutput: Map<string, OutputAudience> | undefined
  readonly #sessions = new Map<string, Known>()
  /** Number of viewers per listener. */
  readonly #perListener = new Map<string, number>()
  #isClosing = false
  #sweep: Disposable | undefined

  constructor(options: EngineAudiencesOptions) {
    this.#options = options
    this.#lines = new ViewerLines(options.clock, options.log)
    this.#fullLines = new LogLimit(options.clock, FULL_LINE_EVERY_MS)
    this.maxClients = options.maxClients
  }

  /** Viewers of all outputs, including those that wait. */
  get clients(): number {
    return this.#sessions.size
  }

  /** `id`: the output, `pipeline/node`. */
  open(id: string, options: AudienceOptions): OutputAudience {
    const { clock, log, onEvent } = this.#options
    const context: AudienceContext = {
      clock,
      log,
      watchers: this.#watchers,
      lines: this.#lines,
      nextId: () => this.#ids.next(),
      refusalOn: (listener) => this.#refusalOn(listener),
      onOpen: (session) => {
        this.#sessions.set(session.id, { session, audience })
        this.#count(session.who.listener, 1)
      },
      onOver: (session) => {
        this.#sessions.delete(session.id)
        this.#count(session.who.listener, -1)
      },
      onLimitChange: (node, { event, ...data }) => onEvent?.({ kind: event, node, data }),
      onRename: () => {
        this.#byOutput = undefined
      },
      onClose: () => this.#close(audience),
    }
    const audience = new OutputAudience(id, options, context)
    this.#audiences.add(audience)
    this.#byOutput = undefined
    this.#sweep ??= clock.every(SWEEP_MS, () => this.#sweepAll())
    return audience
  }

  all(): readonly OutputAudience[] {
    return [...this.#audiences]
  }

  /** The viewers of this output; undefined if it has no audience. Of several, the newest. */
  of(id: string): OutputAudience | undefined {
    this.#byOutput ??= new Map(Array.from(this.#audiences, (audience) => [audience.id, audience]))
    return this.#byOutput.get(id)
  }

  /** The watcher is notified of every session of every output until disposed. */
  watchSessions(watcher: SessionWatcher): Disposable {
    return this.#watchers.add(watcher)
  }

  /** Viewers of one output, or of all. */
  viewers(node?: string): readonly ClientStatus[] {
    return [...this.#audiences]
      .filter(({ id }) => node === undefined || isNodeOrCopy(id, node))
      .flatMap((each) => each.viewers())
  }

  /** Disconnects a viewer and returns its last status; undefined if no viewer has this id. */
  kick(id: string): ClientStatus | undefined {
    const known = this.#sessions.get(id)
    if (known === undefined) return undefined
    const { clock } = this.#options
    const status = known.session.describe((atMs) => clock.wallMs(atMs))
    known.audience.kick(known.session)
    return status
  }

  /** Refuses new viewers from now on; present ones stay. */
  stopAccepting(): void {
    this.#isClosing = true
    this.#lines.endShortVisits()
  }

  #refusalOn(listener: string): ReturnType<AudienceContext['refusalOn']> {
    if (this.#isClosing) return 'closing'
    const most = this.#options.maxClientsOf?.(listener) ?? 0
    if (most > 0 && (this.#perListener.get(listener) ?? 0) >= most) return 'listener-max-clients'
    if (this.maxClients === 0 || this.clients < this.maxClients) return undefined
    this.#reportFull()
    return 'engine-max-clients'
  }

  /** Names the output with the most viewers: its sessions may be what fills the engine. */
  #reportFull(): void {
    const { maxClients } = this
    this.#fullLines.log((leftOut) => {
      const [most] = this.all().toSorted((a, b) => b.counters.clients - a.counters.clients)
      const data = { maxClients, most: most?.id, clients: most?.counters.clients, ...leftOut }
      this.#options.log.warn(data, 'engine.maxClients is reached: further viewers are refused')
    })
  }

  #count(listener: string, change: number): void {
    const count = (this.#perListener.get(listener) ?? 0) + change
    if (count > 0) this.#perListener.set(listener, count)
    else this.#perListener.delete(listener)
  }

  #close(audience: OutputAudience): void {
    this.#audiences.delete(audience)
    this.#byOutput = undefined
    if (this.#audiences.size > 0) return
    this.#sweep?.[Symbol.dispose]()
    this.#sweep = undefined
  }

  #sweepAll(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const audience of this.#audiences) audience.sweep(nowMs)
  }
}
