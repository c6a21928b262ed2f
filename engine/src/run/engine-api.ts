// Puts the control API on its listener.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ApiSettings } from '../graph/graph.js'
import { API_LISTENER } from '../graph/node-id.js'
import type { EngineListeners } from '../listen/engine-listeners.js'

/**
 * Checks each request on listener `api` before any handler sees it, and answers requests for paths that no node owns.
 */
export interface ControlApi {
  /** True if the request may proceed; otherwise it has been answered. */
  guard(request: IncomingMessage, response: ServerResponse): boolean
  respond(request: IncomingMessage, response: ServerResponse): void
}

/** What a request has to match to use the control API. */
export interface ApiAccess {
  readonly token: string
  /** `engine.api.hosts`. */
  readonly hosts: readonly string[]
  /** `engine.api.readToken`. */
  readonly readToken?: ApiSettings['readToken']
  /** `host:port` of each socket bound now. */
  boundAddresses(): readonly string[]
}

export interface EngineApiParts {
  readonly listeners: Pick<EngineListeners, 'http'>
  readonly token: string
  create(access: ApiAccess): ControlApi
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const API_PLACES = [{ path: '/' }, { path: '/api/', isPrefix: true }, { path: '/healthz' }, { path: '/readyz' }]

export class EngineApi {
  readonly #parts: EngineApiParts
  readonly #claims: Disposable[] = []

  constructor(parts: EngineApiParts) {
    this.#parts = parts
  }

  /**
   * Called when the engine starts, and when `engine.api` changes. Order: the guard, then the paths of the API and
   * those that nodes own, then the API again, which answers everything else with 404. No node can take the paths of the
   * API, nor `/`, where the status page is.
   */
  open({ hosts, readToken }: ApiSettings): void {
    const { listeners, token, create } = this.#parts
    const listener = listeners.http(API_LISTENER)
    const { guard, respond } = create({ token, hosts, readToken, boundAddresses: () => [listener.address] })
    listener.setGuard(guard)
    listener.setFallback(respond)
    for (const claim of this.#claims.splice(0)) claim[Symbol.dispose]()
    for (const place of API_PLACES) this.#claims.push(listener.claim({ ...place, methods: METHODS, respond }))
  }
}
