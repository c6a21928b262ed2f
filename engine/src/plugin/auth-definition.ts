// What a plugin implements to decide about access: a provider for the section `auth:`. It never sees a socket, and what
// goes wrong in it refuses clients, but hurts nothing else.
import type { z } from 'zod'
import type { AccessRequest } from './auth.js'
import type { Definition, Example, Injected, Injections, MetricDeclaration, NodeContext, Options } from './contract.js'

/** Types that the engine has itself; no plugin may declare them. */
export const BUILT_IN_AUTH = ['basic', 'bearer', 'token', 'signed', 'ip', 'all'] as const

export type BuiltInAuth = (typeof BUILT_IN_AUTH)[number]

/** Keys that the engine reads on every provider; no plugin may declare them. */
export const AUTH_KEYS = ['type', 'actions', 'protocols'] as const

/**
 * Why a provider of a plugin refuses. `no-credentials`: the client has presented none that it reads. `bad-credentials`:
 * they are wrong; counts as a guess, of which an address has a limited number. `denied`: whoever it is may not do this.
 * `busy`: too many are asking. `failed`: it cannot tell.
 */
export const AUTH_REFUSALS = ['no-credentials', 'bad-credentials', 'expired', 'denied', 'busy', 'failed'] as const

export type AuthRefusal = (typeof AUTH_REFUSALS)[number]

export type AuthVerdict =
  | {
      readonly allowed: true
      /** Name of the user, at most 255 characters: shown in lists of clients and in the access log. By default none. */
      readonly user?: string | undefined
      /**
       * Tells what the client has presented from other credentials: a digest, never the secret. The client may then
       * exchange it for a session: an output like `hls`, whose viewers send many requests, admits the others of this
       * viewer without a check. By default each request is checked.
       */
      readonly credential?: string | undefined
      /** The decision depends on the address of the client: a session is for that address alone. By default false. */
      readonly isForAddress?: boolean | undefined
      /**
       * What the connection of this client is encrypted with, where the protocol shares a secret with its client: the
       * passphrase of SRT. At most 255 characters, never logged. By default that of the node or the listener.
       */
      readonly secret?: string | undefined
      /**
       * Called at most once if there is no connection after all, for example because its passphrase was wrong: what
       * the check has used up can be presented again. It undoes this admission alone: what another one has used since
       * stays used. By default nothing happens.
       */
      readonly giveBack?: (() => void) | undefined
    }
  | {
      readonly allowed: false
      readonly reason: AuthRefusal
      /** For people; what is not printable, and what is beyond 200 characters, is cut. By default nothing. */
      readonly why?: string | undefined
      /**
       * A challenge of RFC 9110 section 11.6.1, if credentials in a header would help: HTTP clients then receive 401
       * instead of 403.
       */
      readonly challenge?: string | undefined
    }

/** What `open` of an auth definition returns. */
export interface AuthProvider extends AsyncDisposable {
  /**
   * Called once for each client that a node asks this provider about; up to 4096 calls can be in progress, beyond that
   * the engine refuses with `busy`. What it throws or rejects with, a result that is no verdict, and no result within
   * 10 s refuse that client with `failed`; `signal` aborts when the engine no longer waits. The request holds secrets:
   * do not keep or log it.
   */
  check(request: AccessRequest, signal: AbortSignal): AuthVerdict | Promise<AuthVerdict>
}

/** What the engine passes to a provider at `open`. `id` is `auth/name`; a callback whose `guard` catches an error fails it. */
export type AuthContext = Pick<NodeContext, 'id' | 'signal' | 'log' | 'readMetric' | 'histogram' | 'event' | 'guard'>

export interface AuthDefinition<O extends z.ZodType = z.ZodType, I extends Injections = Injections> {
  readonly kind: 'auth'
  /** The value of `type:` in the YAML. `[a-z][a-z0-9-]*`, and none of the engine's own types. */
  readonly type: string
  /** One sentence, shown by `engine inspect` and on the generated pages. */
  readonly summary: string
  /** A `z.strictObject`; each option has `.meta({ description, reload: 'live' })`: a provider is never replaced. */
  readonly options: O
  /** Services of the engine that `open` receives as `deps`, by token: CLOCK, EVENTS and LISTENERS. By default none. */
  readonly inject?: I
  /** Metrics that the provider connects with `readMetric`. By default none. */
  readonly metrics?: readonly MetricDeclaration[]
  readonly examples: readonly Example[]
  /**
   * Called by the engine when it starts, or a reload adds the provider. Resolves within 10 s; an error that it throws
   * is logged, clients are refused with `failed`, and it is called again for a later client, after 1 s to 30 s.
   * `options$` emits whenever a reload changes an option.
   */
  open(options$: Options<z.output<O>>, context: AuthContext, deps: Injected<I>): AuthProvider | Promise<AuthProvider>
}

/** Whatever a plugin can export. */
export type AnyDefinition = Definition | AuthDefinition
