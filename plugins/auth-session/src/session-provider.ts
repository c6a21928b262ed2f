// Admits clients that present a session, and serves the requests for sessions where the options say.
import { isDeepStrictEqual } from 'node:util'
import type {
  AccessRequest,
  AuthProvider,
  AuthVerdict,
  Clock,
  HttpHandler,
  Listeners,
  Logger,
  Options,
} from '@millrace/engine/plugin'
import { GuessLimit } from './guess-limit.js'
import { KeyedDigest } from './keyed-digest.js'
import type { SessionOptions } from './options.js'
import { METHODS, SessionRoutes } from './session-routes.js'
import { SessionStore, type Taken, type TakeRefusal, type Taker } from './session-store.js'
import { StreamTokens } from './stream-tokens.js'

/** While there are sessions, those whose time is over are removed this often. */
const PURGE_MS = 5000
const CHALLENGE = 'Bearer realm="millrace"'
const NO_CREDENTIALS: AuthVerdict = { allowed: false, reason: 'no-credentials', challenge: CHALLENGE }

/**
 * An unknown session does not count as a guess: nobody finds one of 2^64, and players that call again and again with one
 * whose time is over would lock out everybody at their address.
 */
const VERDICTS: Readonly<Record<TakeRefusal, AuthVerdict>> = {
  unknown: {
    ...{ allowed: false, reason: 'expired', challenge: CHALLENGE },
    why: 'there is no such session, or its time is over',
  },
  used: { allowed: false, reason: 'expired', challenge: CHALLENGE, why: 'the session has been used' },
  'other-stream': { allowed: false, reason: 'denied', why: 'the session is for another stream' },
  'other-action': { allowed: false, reason: 'denied', why: 'the session is for the other mode' },
}

export interface SessionProviderParts {
  readonly options$: Options<SessionOptions>
  readonly clock: Clock
  readonly listeners: Pick<Listeners, 'http'>
  readonly log: Pick<Logger, 'error'>
}

export class SessionProvider implements AuthProvider {
  readonly sessions: SessionStore
  readonly routes: SessionRoutes
  refused = 0
  readonly #parts: SessionProviderParts
  readonly #digest = new KeyedDigest()
  readonly #changes: { unsubscribe(): void }
  #tokens: StreamTokens
  #mounted: Disposable
  #place: Pick<SessionOptions, 'listener' | 'path'>
  #purge: Disposable | undefined
  #isOver = false

  /** Throws LISTEN_PATH_TAKEN. */
  constructor(parts: SessionProviderParts) {
    this.#parts = parts
    const { options$, clock } = parts
    let { streams } = options$.value
    this.#tokens = new StreamTokens(streams, this.#digest)
    this.sessions = new SessionStore(this.#digest, () => {
      const { lifetime: lifetimeMs, resume: resumeMs, maxSessions: most } = options$.value
      return { lifetimeMs, resumeMs, most }
    })
    this.routes = new SessionRoutes({
      clock,
      sessions: this.sessions,
      guesses: new GuessLimit(),
      tokens: () => this.#tokens,
      onCreated: () => this.#purgeLater(),
    })
    this.#place = options$.value
    this.#mounted = this.#mount(options$.value)
    this.#changes = options$.subscribe((next) => {
      this.#move(next)
      if (isDeepStrictEqual(next.streams, streams)) return
      streams = next.streams
      this.#tokens = new StreamTokens(streams, this.#digest)
      this.sessions.retain((grant) => this.#tokens.isValid(grant))
    })
  }

  check({ action, stream, address, token = '' }: AccessRequest): AuthVerdict {
    const taken = this.#take({ action, stream, address, id: token })
    if ('allowed' in taken) {
      this.refused++
      return taken
    }
    const { passphrases } = this.#parts.options$.value
    const secret = Object.hasOwn(passphrases, stream) ? { secret: passphrases[stream] } : {}
    const giveBack = (): void => {
      if (this.#isOver || !this.#tokens.isValid(taken.before.grant)) return
      this.sessions.restore(taken)
      this.#purgeLater()
    }
    return {
      allowed: true,
      giveBack,
      credential: this.#digest.of(token).toString('base64'),
      isForAddress: true,
      ...secret,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#changes.unsubscribe()
    this.#purge?.[Symbol.dispose]()
    this.#mounted[Symbol.dispose]()
  }

  #take(taker: Taker): AuthVerdict | Taken {
    if (taker.id === '') return NO_CREDENTIALS
    const taken = this.#isOver ? 'unknown' : this.sessions.take(taker, this.#parts.clock.nowMs())
    return typeof taken === 'string' ? VERDICTS[taken] : taken
  }

  #mount({ listener, path }: SessionOptions): Disposable {
    const { options$, listeners } = this.#parts
    const options = {
      path: `${path}/`,
      ...{ prefix: true, methods: METHODS, place: path },
      get cors() {
        return options$.value.cors
      },
    }
    const handle: HttpHandler = (...given) => this.routes.respond(path, ...given)
    return listeners.http(listener).mount(options, handle)
  }

  /** Where the new place is taken, it stays where it is. */
  #move(next: SessionOptions): void {
    const { listener, path } = this.#place
    if (next.listener === listener && next.path === path) return
    try {
      const before = this.#mounted
      this.#mounted = this.#mount(next)
      this.#place = next
      before[Symbol.dispose]()
    } catch (err) {
      this.#parts.log.error({ err }, `sessions are still served at ${path} of "${listener}"`)
    }
  }

  #purgeLater(): void {
    this.#purge ??= this.#parts.clock.after(PURGE_MS, () => {
      this.#purge = undefined
      this.sessions.purge(this.#parts.clock.nowMs())
      if (this.sessions.size > 0) this.#purgeLater()
    })
  }
}
