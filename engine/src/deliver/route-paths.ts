// The paths of one route: its current path, and earlier ones, which stay as aliases while viewers that used them are
// connected. An alias yields its path to any later claim.
import type { AliasStatus } from '../observe/status.js'
import { type NamedListener, RouteClaims } from '../listen/route-claims.js'
import type { RouteListing } from '../listen/route-listing.js'
import type { StreamHandler } from '../listen/stream-handler.js'
import type { Clock } from '../plugin/tokens.js'
import type { LiveRouteOptions } from '../plugin/live-route.js'

/** What delivery needs of a listener. */
export interface LiveListener extends NamedListener {
  readonly origins: readonly string[]
}

/** One path of a route. Its viewers keep it when the route moves. */
export interface RoutePath {
  readonly listener: LiveListener
  readonly path: string
  /** Connected viewers that used it. */
  viewers: number
}

export interface RoutePathsOptions {
  readonly clock: Clock
  /** Throws LISTEN_UNKNOWN. */
  listenerOf(name: string): LiveListener
  handlerOf(routePath: RoutePath): StreamHandler
  /** How the index of the listener shows the current path. */
  listing?(): RouteListing | undefined
}

type Where = Pick<LiveRouteOptions, 'listener' | 'path' | 'aliasForMs'>

interface Alias {
  readonly routePath: RoutePath
  readonly untilMs: number
  readonly claim: Disposable
}

const ALIAS_FOR_MS = 24 * 60 * 60 * 1000
/** Per route; a new one replaces the oldest. */
const MAX_ALIASES = 16

export class RoutePaths {
  /** Of its current path and of the aliases. */
  readonly claims = new RouteClaims()
  readonly #options: RoutePathsOptions
  readonly #aliases: Alias[] = []
  #current: RoutePath
  #claim: Disposable

  /** Claims its path. Throws LISTEN_UNKNOWN, LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  constructor(where: Where, options: RoutePathsOptions) {
    this.#options = options
    this.#current = { listener: options.listenerOf(where.listener), path: where.path, viewers: 0 }
    this.#claim = this.#claimFor(this.#current)
  }

  /** URLs of its current path; none while the path is withdrawn. */
  get urls(): readonly string[] {
    return this.claims.isWithdrawn ? [] : urlsOf(this.#current)
  }

  get aliases(): readonly AliasStatus[] {
    if (this.claims.isWithdrawn) return []
    const { clock } = this.#options
    return this.#aliases.flatMap(({ routePath, untilMs }) => {
      const until = new Date(clock.wallMs(untilMs)).toISOString()
      return urlsOf(routePath).map((url) => ({ url, viewers: routePath.viewers, until }))
    })
  }

  isAt({ listener, path }: Where): boolean {
    return this.#current.listener === this.#options.listenerOf(listener) && this.#current.path === path
  }

  /** Throws LISTEN_UNKNOWN, LISTEN_PATH_TAKEN, LISTEN_BAD_PATH; then nothing has changed. */
  move(where: Where): void {
    const before = this.#current
    const routePath = this.#routePathAt(where)
    if (routePath === before) return
    const claim = this.#claimFor(routePath)
    this.#claim[Symbol.dispose]()
    this.#claim = claim
    this.#current = routePath
    this.#remove((alias) => alias.routePath === routePath)
    const aliasForMs = where.aliasForMs ?? ALIAS_FOR_MS
    if (before.viewers > 0 && aliasForMs > 0) this.#keep(before, aliasForMs)
  }

  /** Called by the sweep: ends aliases that have expired or have no viewers left. */
  sweep(nowMs: number): void {
    if (this.#aliases.length > 0) this.#remove(({ routePath, untilMs }) => routePath.viewers === 0 || nowMs >= untilMs)
  }

  /** The path there: the current one, an alias, or a new one. */
  #routePathAt({ listener: name, path }: Where): RoutePath {
    const listener = this.#options.listenerOf(name)
    const known = [this.#current, ...this.#aliases.map(({ routePath }) => routePath)]
    const found = known.find((each) => each.listener === listener && each.path === path)
    return found ?? { listener, path, viewers: 0 }
  }

  #claimFor(routePath: RoutePath, onTaken?: () => void): Disposable {
    const { listener, path } = routePath
    const stream = this.#options.handlerOf(routePath)
    // An alias is not shown.
    const listing = (): RouteListing | undefined =>
      routePath === this.#current ? this.#options.listing?.() : undefined
    return this.claims.claim(listener, { path, stream, listing, ...(onTaken === undefined ? {} : { onTaken }) })
  }

  #keep(routePath: RoutePath, forMs: number): void {
    const untilMs = this.#options.clock.nowMs() + forMs
    const onTaken = (): void => this.#remove((each) => each.routePath === routePath)
    try {
      this.#aliases.push({ routePath, untilMs, claim: this.#claimFor(routePath, onTaken) })
    } catch {
      // The path is taken: there is no alias then.
    }
    const surplus = this.#aliases[0]
    if (this.#aliases.length > MAX_ALIASES) this.#remove((each) => each === surplus)
  }

  #remove(isOver: (alias: Alias) => boolean): void {
    for (const alias of this.#aliases.filter(isOver)) {
      alias.claim[Symbol.dispose]()
      this.#aliases.splice(this.#aliases.indexOf(alias), 1)
    }
  }
}

function urlsOf({ listener, path }: RoutePath): readonly string[] {
  return listener.origins.map((origin) => origin + encodeURI(path))
}
