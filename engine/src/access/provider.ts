// One way to decide about a client, as the section `auth:` declares it.
import type { AuthDefinition } from '../plugin/auth-definition.js'
import type { AccessAction, AccessRequest, RefusedAccess } from '../plugin/auth.js'

export type Verdict =
  | {
      readonly allowed: true
      readonly user: string | undefined
      /** Secret: what the client has presented. Undefined: there is nothing that it could exchange for a session. */
      readonly credential?: string
      /** It depends on the address of the client. */
      readonly isForAddress?: boolean
      readonly secret?: string
      readonly giveBack?: () => void
    }
  | {
      readonly allowed: false
      readonly reason: RefusedAccess
      /** A challenge of RFC 9110 section 11.6.1, if credentials in the header would help. */
      readonly challenge?: string
      /** For people, safe to show. By default nothing. */
      readonly why?: string
    }

export interface Provider {
  /** Cheap providers are asked first: a quick answer can save the others. */
  readonly cost: number
  /** Its credentials can be guessed, so failures are counted by address. */
  readonly isGuessable: boolean
  /** Never throws, never rejects. */
  check(request: AccessRequest): Verdict | Promise<Verdict>
}

/** A provider of a plugin, which lives until it is closed. */
export interface ManagedProvider extends Provider {
  readonly definition: AuthDefinition
  /** Opens it; until then it opens at the first check. Safe twice. */
  start(): void
  /** Its options have changed. */
  update(options: unknown): void
  /** It goes on under another name. */
  rename(name: string): void
  /** It is asked about no more clients; checks in progress finish. Safe twice, never rejects. */
  close(): Promise<void>
}

/** What a provider is for. Without its options everything. */
export interface ProviderScope {
  readonly actions?: readonly AccessAction[] | undefined
  readonly protocols?: readonly string[] | undefined
}

/** A provider for some actions and protocols alone; it refuses all others without a check. */
export class ScopedProvider implements Provider {
  readonly #provider: Provider
  readonly #scope: ProviderScope

  constructor(provider: Provider, scope: ProviderScope) {
    this.#provider = provider
    this.#scope = scope
  }

  get cost(): number {
    return this.#provider.cost
  }

  get isGuessable(): boolean {
    return this.#provider.isGuessable
  }

  check(request: AccessRequest): Verdict | Promise<Verdict> {
    const { actions, protocols } = this.#scope
    if (actions?.includes(request.action) === false) return refuse('wrong-action')
    if (protocols?.includes(request.protocol) === false) return refuse('wrong-protocol')
    return this.#provider.check(request)
  }
}

export function allow(user: string | undefined, credential?: string, isForAddress = false): Verdict {
  return { allowed: true, user, ...(credential === undefined ? {} : { credential }), isForAddress }
}

export function refuse(reason: RefusedAccess, challenge?: string): Verdict {
  return challenge === undefined ? { allowed: false, reason } : { allowed: false, reason, challenge }
}
