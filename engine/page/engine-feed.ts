// Keeps the model current: status first, then samples and events. A lost engine is asked until it answers, one that wants a
// token until somebody has signed in. A page that nobody sees asks for nothing.
import { ApiFailure, ask } from './api-client.js'
import { followStream } from './follow-stream.js'
import {
  type ClientStatus,
  type EngineEvent,
  EngineModel,
  type EngineSample,
  type EngineStatus,
} from './model/index.js'

const RETRY_MS = 1000
/** Details and new nodes are in the status alone. */
const STATUS_MS = 2000
const CLIENTS_MS = 2000
/** A sample comes each second. */
const SILENT_MS = 4000
const HIDDEN_MS = 30_000
const UNAUTHORIZED = 401
/** Unknown to every engine: it sends all events that it has recorded. */
const NO_EVENT = '0'

export interface FeedCallbacks {
  /** After each change, and while the engine is lost, once a second. */
  onChange(): void
  /** The engine wants a token; called again for each attempt, until `signedIn`. */
  onSignIn(): void
}

type Wanted = 'status' | 'clients'

export interface LostEngine {
  /** The last that was heard of it, or the first attempt. */
  readonly sinceMs: number
  /** What it answers instead; undefined if it does not answer. */
  readonly refusal: string | undefined
}

export class EngineFeed {
  readonly model = new EngineModel()
  /** The engine does not answer, or refuses; undefined if it sends what it knows. */
  lost: LostEngine | undefined
  /** The pattern pipeline whose copies are wanted, and whether viewers are. */
  wants: { readonly copies: boolean; readonly viewers: boolean } = { copies: false, viewers: false }
  readonly #callbacks: FeedCallbacks
  #lastId = NO_EVENT
  #heardMs: number | undefined
  readonly #reading = new Set<Wanted>()
  readonly #again = new Set<Wanted>()
  #version: string | undefined
  #signedIn: (() => void) | undefined
  #connection = new AbortController()

  constructor(callbacks: FeedCallbacks) {
    this.#callbacks = callbacks
  }

  start(): void {
    void this.#follow()
    setInterval(() => void this.#poll('status'), STATUS_MS)
    setInterval(() => void this.#poll('clients'), CLIENTS_MS)
    let timer: number | undefined
    document.addEventListener('visibilitychange', () => {
      clearTimeout(timer)
      if (document.hidden) timer = setTimeout(() => this.#connection.abort(), HIDDEN_MS)
    })
  }

  /** The engine waits for a token. */
  get isSigningIn(): boolean {
    return this.#signedIn !== undefined
  }

  /** Asks again now: somebody has signed in, or a view wants more. */
  refresh(): void {
    if (this.#signedIn !== undefined) return this.#signedIn()
    void this.#poll('status', true)
    void this.#poll('clients', true)
  }

  async #follow(): Promise<never> {
    for (;;) {
      this.#connection = new AbortController()
      try {
        await this.#readStatus()
        const lastId = this.#lastId
        const { signal } = this.#connection
        await followStream({
          ...{ path: 'events', silentMs: SILENT_MS, lastId, signal },
          onEvent: ({ name, data, id }) => this.#apply(name, data, id),
        })
      } catch (error) {
        await this.#handle(error)
      }
      await seen()
    }
  }

  #apply(name: string, data: string, id: string | undefined): void {
    const isFirst = this.#lastId === NO_EVENT
    this.#lastId = id ?? this.#lastId
    // Who has seen no event yet misses none.
    if (name === 'gap' && !isFirst) this.model.applyGap((JSON.parse(data) as { missed?: number }).missed, Date.now())
    else if (name === 'sample') {
      this.lost = undefined
      this.#heardMs = Date.now()
      this.model.applySample(JSON.parse(data) as EngineSample, this.#heardMs)
      this.#callbacks.onChange()
    } else if (name === 'state' || name === 'reload' || name === 'event') {
      this.model.applyEvent(JSON.parse(data) as EngineEvent)
    }
  }

  async #handle(error: unknown): Promise<void> {
    if (error instanceof ApiFailure && error.status === UNAUTHORIZED) {
      const signedIn = new Promise<void>((resolve) => (this.#signedIn = resolve))
      this.lost = undefined
      this.#callbacks.onSignIn()
      await signedIn
      this.#signedIn = undefined
      return
    }
    if (this.#connection.signal.aborted) return
    const refusal = error instanceof ApiFailure ? error.message : undefined
    this.lost = { sinceMs: this.lost?.sinceMs ?? this.#heardMs ?? Date.now(), refusal }
    this.#callbacks.onChange()
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }

  /** One at a time: an older answer must not follow a newer one. `isNow`: meanwhile something else is wanted. */
  async #poll(wanted: Wanted, isNow = false): Promise<void> {
    if (document.hidden || this.#signedIn !== undefined || this.lost !== undefined) return
    if (this.#reading.has(wanted)) {
      if (isNow) this.#again.add(wanted)
      return
    }
    this.#reading.add(wanted)
    try {
      do await (wanted === 'status' ? this.#readStatus() : this.#readClients())
      while (this.#again.delete(wanted))
    } catch (error) {
      // The stream says that the engine is lost; that the session has ended only the next request does.
      if (error instanceof ApiFailure && error.status === UNAUTHORIZED) this.#connection.abort()
    } finally {
      this.#reading.delete(wanted)
      this.#again.delete(wanted)
    }
  }

  async #readStatus(): Promise<void> {
    const status = await ask<EngineStatus>('GET', `status${this.wants.copies ? '' : '?copies=none'}`)
    // The modules of this page are those of the engine that served it.
    if (this.#version !== undefined && this.#version !== status.version) location.reload()
    this.#version = status.version
    this.model.applyStatus(status, Date.now())
    this.#callbacks.onChange()
  }

  async #readClients(): Promise<void> {
    if (!this.wants.viewers) return
    const { clients } = await ask<{ readonly clients: readonly ClientStatus[] }>('GET', 'clients')
    this.model.applyClients(clients, Date.now())
    this.#callbacks.onChange()
  }
}

/** Resolves when somebody sees the page. */
async function seen(): Promise<void> {
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))
  }
}
