// An output's hold on its audience. The next node of the same output takes the audience over, with its viewers and
// counters; from then on the previous node can still end its sessions, but closes the audience no more.
import { startCounters } from './audience-counters.js'
import type {
  Audience,
  AudienceCounters,
  AudienceOptions,
  Refusal,
  Session,
  SessionCallbacks,
  SessionView,
  Who,
} from '../plugin/audience.js'
import type { EngineAudiences } from './engine-audiences.js'
import type { OutputAudience } from './output-audience.js'
import { readView } from './session.js'

export interface LeaseSettings {
  readonly audiences: Pick<EngineAudiences, 'open'>
  /** Id of the node, which a reload may rename. */
  owner(): string
  /** Runs code of the node; an error that it throws fails the node. */
  enter(run: () => void): void
}

const CLOSED: Refusal = { refused: 'closing', status: 503 }
const NO_COUNTERS = startCounters()

export class AudienceLease implements Audience {
  /** Called when its output disposes it; true if the audience stays for the node that opens next. */
  onDispose: () => boolean = () => false
  readonly #settings: LeaseSettings
  #options: AudienceOptions
  /** Undefined on standby. */
  #audience: OutputAudience | undefined
  /** The lease that had the audience before. */
  #before: AudienceLease | undefined
  #isOver = false

  /** Throws TypeError. */
  constructor(options: AudienceOptions, settings: LeaseSettings) {
    checkAudienceOptions(options)
    this.#options = options
    this.#settings = settings
  }

  /** For a live route, which is open. */
  get audience(): OutputAudience {
    this.open()
    return this.#audience!
  }

  /** Opens its audience, unless it has one. */
  open(): void {
    if (this.#audience !== undefined) return
    this.#own(this.#settings.audiences.open(this.#settings.owner(), this.#options))
    if (this.#isOver) void this.close()
  }

  /** Takes the audience of the other lease; viewers and counters stay. Safe twice. */
  takeOver(before: AudienceLease): void {
    if (this.#audience === before.audience) return
    this.#before = before
    this.#own(before.audience)
  }

  /** Another lease has its audience for good. */
  leave(): void {
    this.#isOver = true
  }

  /** Has its audience again, if the next node could not take it over after all. */
  restore(): void {
    if (this.#audience !== undefined) this.#own(this.#audience)
  }

  /** The node has another id now. */
  rename(id: string): void {
    if (this.#isOwner) this.#audience?.rename(id)
  }

  refusalOf(who: Pick<Who, 'address' | 'listener'>): Refusal | undefined {
    return this.#audience === undefined ? CLOSED : this.#audience.refusalOf(who)
  }

  enter(who: Who, callbacks?: SessionCallbacks): Session | Refusal {
    return this.#audience === undefined ? CLOSED : this.#audience.enter(who, this.#guarded(callbacks))
  }

  touch(key: string, who: Who, callbacks?: SessionCallbacks): Session | Refusal {
    return this.#audience === undefined ? CLOSED : this.#audience.touch(key, who, this.#guarded(callbacks))
  }

  find(key: string, who: Who): Session | Refusal | undefined {
    return this.#audience === undefined ? CLOSED : this.#audience.find(key, who)
  }

  refuse(who: Who, reason: string, status: number): void {
    this.#audience?.refuse(who, reason, status)
  }

  update(options: Partial<AudienceOptions>): void {
    const next = { ...this.#options, ...options }
    checkAudienceOptions(next)
    this.#options = next
    if (this.#isOwner) this.#audience?.update(this.#options)
  }

  get counters(): AudienceCounters {
    return this.#audience?.counters ?? NO_COUNTERS
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.onDispose()) await this.close()
  }

  /**
   * Ends its sessions, unless another lease has taken over, or the one before, which still runs, can have them back. Safe
   * twice.
   */
  async close(): Promise<void> {
    this.#isOver = true
    if (!this.#isOwner) return
    const before = this.#before
    if (before !== undefined && !before.#isOver) before.restore()
    else await this.#audience?.[Symbol.asyncDispose]()
  }

  get #isOwner(): boolean {
    return this.#audience?.owner === this
  }

  #own(audience: OutputAudience): void {
    this.#audience = audience
    audience.owner = this
    audience.rename(this.#settings.owner())
    audience.update(this.#options)
  }

  /** Callbacks are code of the node. */
  #guarded(callbacks: SessionCallbacks | undefined): SessionCallbacks | undefined {
    if (callbacks === undefined) return undefined
    const { enter } = this.#settings
    return {
      describe: () => {
        let view: SessionView | undefined
        enter(() => {
          view = readView(callbacks.describe?.())
        })
        return view ?? { state: 'reading' }
      },
      onKick: () => enter(() => callbacks.onKick?.()),
    }
  }
}

function checkAudienceOptions({ limits, idleMs }: AudienceOptions): void {
  const { max, soft, perAddress, overLimitStatus: status } = (limits ?? {}) as Partial<AudienceOptions['limits']>
  const areCounts = [max, soft, perAddress].every((limit) => Number.isSafeInteger(limit) && Number(limit) >= 0)
  if (!areCounts)
    throw new TypeError('max, soft and perAddress of an audience have to be whole numbers, 0 for no limit')
  if (!Number.isInteger(status) || Number(status) < 400 || Number(status) > 599) {
    throw new TypeError('overLimitStatus of an audience has to be an error status of HTTP')
  }
  if (idleMs !== undefined && !(idleMs > 0)) throw new TypeError('idleMs of an audience has to be positive')
}
