// An output's hold on its audience. The next node of the same output takes the audience over, with its viewers and
// counters; from then on the previous node can still end its sessions, but closes the audience no more.
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

export interface LeaseSettings {
  readonly audiences: Pick<EngineAudiences, 'open'>
  /** Id of the node, which a reload may rename. */
  owner(): string
  /** Runs code of the node; an error that it throws fails the node. */
  enter(run: () => void): void
}

export class AudienceLease implements Audience {
  /** Called when its output disposes it; true if the audience stays for the node that opens next. */
  onDispose: () => boolean = () => false
  readonly #settings: LeaseSettings
  #options: AudienceOptions
  #audience: OutputAudience | undefined

  constructor(options: AudienceOptions, settings: LeaseSettings) {
    this.#options = options
    this.#settings = settings
  }

  /** Opened when it is first asked for, unless it has been taken over. */
  get audience(): OutputAudience {
    return this.#audience ?? this.#own(this.#settings.audiences.open(this.#settings.owner(), this.#options))
  }

  /** Opens its audience, unless it has one. */
  open(): void {
    void this.audience
  }

  /** Takes the audience of the other lease; viewers and counters stay. Safe twice. */
  takeOver({ audience }: AudienceLease): void {
    if (this.#audience !== audience) this.#own(audience)
  }

  /** Has its audience again, if the next node could not take it over after all. */
  restore(): void {
    if (this.#audience !== undefined) this.#own(this.#audience)
  }

  /** The node has another id now. */
  rename(id: string): void {
    if (this.#isOwner) this.audience.rename(id)
  }

  refusalOf(who: Pick<Who, 'address' | 'listener'>): Refusal | undefined {
    return this.audience.refusalOf(who)
  }

  enter(who: Who, callbacks?: SessionCallbacks): Session | Refusal {
    return this.audience.enter(who, this.#guarded(callbacks))
  }

  touch(key: string, who: Who, callbacks?: SessionCallbacks): Session | Refusal {
    return this.audience.touch(key, who, this.#guarded(callbacks))
  }

  refuse(who: Who, reason: string, status: number): void {
    this.audience.refuse(who, reason, status)
  }

  update(options: AudienceOptions): void {
    this.#options = options
    if (this.#isOwner) this.audience.update(options)
  }

  get counters(): AudienceCounters {
    return this.audience.counters
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.onDispose()) await this.close()
  }

  /** Ends its sessions, unless another lease has taken over. Safe twice. */
  async close(): Promise<void> {
    if (this.#isOwner) await this.#audience?.[Symbol.asyncDispose]()
  }

  get #isOwner(): boolean {
    return this.#audience?.owner === this
  }

  #own(audience: OutputAudience): OutputAudience {
    this.#audience = audience
    audience.owner = this
    audience.rename(this.#settings.owner())
    audience.update(this.#options)
    return audience
  }

  /** Callbacks are code of the node. */
  #guarded(callbacks: SessionCallbacks | undefined): SessionCallbacks | undefined {
    if (callbacks === undefined) return undefined
    const { enter } = this.#settings
    return {
      describe: () => {
        let view: SessionView | undefined
        enter(() => {
          view = callbacks.describe?.()
        })
        return view ?? READING
      },
      onKick: () => enter(() => callbacks.onKick?.()),
    }
  }
}

const READING: SessionView = { state: 'reading' }
