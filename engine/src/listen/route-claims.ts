// The claims of one owner on the routes of any listeners. They are withdrawn and restored together, so that owners can
// exchange paths: first all are withdrawn, then each is restored. A withdrawn owner can still claim and release; that
// takes effect when it is restored.
import type { ListedRoute } from './route-listing.js'
import { checkPlace, type Route } from './route-table.js'

/** A listener, as far as its routes are concerned. */
export interface RouteListener {
  /** Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  claim(route: Route): Disposable
}

/** What viewers on the listener are told apart by. */
export interface NamedListener extends RouteListener {
  readonly name: string
  readonly protocol: 'http' | 'https'
  /** What its index can show. */
  listed(): readonly ListedRoute[]
}

interface Claim {
  readonly listener: RouteListener
  readonly route: Route
  held: Disposable | undefined
}

export class RouteClaims {
  readonly #claims = new Set<Claim>()
  #isWithdrawn: boolean

  constructor(isWithdrawn = false) {
    this.#isWithdrawn = isWithdrawn
  }

  get isWithdrawn(): boolean {
    return this.#isWithdrawn
  }

  /** Throws LISTEN_BAD_PATH, and LISTEN_PATH_TAKEN unless withdrawn. */
  claim(listener: RouteListener, route: Route): Disposable {
    checkPlace(route)
    const claim: Claim = { listener, route, held: this.#isWithdrawn ? undefined : listener.claim(route) }
    this.#claims.add(claim)
    return {
      [Symbol.dispose]: () => {
        this.#claims.delete(claim)
        release(claim)
      },
    }
  }

  /** Frees its paths at once, except those that `next` wants too: it can take them over from here without a gap. */
  withdraw(next?: RouteClaims): void {
    this.#isWithdrawn = true
    for (const claim of this.#claims) if (next === undefined || !next.#has(claim)) release(claim)
  }

  /**
   * Claims again what has been withdrawn, except what `before` still holds; those that yield are dropped if their path
   * is taken. Throws LISTEN_PATH_TAKEN: `withdraw` then releases what it has claimed.
   */
  restore(before?: RouteClaims): void {
    const [yielding, firm] = [true, false].map((yields) =>
      [...this.#claims].filter(({ route }) => (route.onTaken !== undefined) === yields),
    )
    for (const claim of firm ?? []) if (before === undefined || !before.#holds(claim)) hold(claim)
    for (const claim of yielding ?? []) this.#tryHold(claim)
    this.#isWithdrawn = before !== undefined
  }

  /** After `withdraw`, for an owner that leaves: claims what is free again, and yields to every later claim. */
  linger(): void {
    for (const claim of this.#claims) if (claim.held === undefined) lingerAt(claim)
  }

  /** For good. */
  release(): void {
    for (const claim of this.#claims) release(claim)
    this.#claims.clear()
  }

  #tryHold(claim: Claim): void {
    try {
      hold(claim)
    } catch {
      this.#claims.delete(claim)
      claim.route.onTaken?.()
    }
  }

  /** It has a claim to the same path, or the same prefix. */
  #has(claim: Claim): boolean {
    return [...this.#claims].some((own) => isSamePlace(own, claim))
  }

  #holds(claim: Claim): boolean {
    return [...this.#claims].some((own) => own.held !== undefined && isSamePlace(own, claim))
  }
}

function isSamePlace(a: Claim, b: Claim): boolean {
  const [isPrefix, isOtherPrefix] = [a.route.isPrefix ?? false, b.route.isPrefix ?? false]
  return a.listener === b.listener && a.route.path === b.route.path && isPrefix === isOtherPrefix
}

function hold(claim: Claim): void {
  claim.held ??= claim.listener.claim(claim.route)
}

function lingerAt(claim: Claim): void {
  const onTaken = (): void => {
    claim.held = undefined
    claim.route.onTaken?.()
  }
  try {
    claim.held = claim.listener.claim({ ...claim.route, onTaken })
  } catch {
    // Another owner has it.
  }
}

function release(claim: Claim): void {
  claim.held?.[Symbol.dispose]()
  claim.held = undefined
}
