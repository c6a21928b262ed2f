// An output's hold on its live route. A lease begins on standby, without a route. It then opens a route of its own, or
// takes over that of another lease with its viewers; from then on nothing that the other output does reaches them.
import { startCounters } from '../audience/audience-counters.js'
import type { AudienceCounters } from '../plugin/audience.js'
import type { LiveEntry, LiveRoute, LiveRouteOptions } from '../plugin/live-route.js'
import type { AudienceLease } from '../audience/audience-lease.js'
import { checkEntry, checkRouteOptions } from './check-route.js'
import { guardJoin } from './guard-join.js'
import type { RoutePaths } from './route-paths.js'
import type { ServedRoute } from './served-route.js'
import type { SourceView } from './source-view.js'

/** A route with its paths. */
export interface OpenRoute {
  readonly route: ServedRoute
  readonly paths: RoutePaths
  /** Of a route whose options name none. */
  readonly ownAudience: AudienceLease
}

export interface LeaseContext {
  /** Throws LISTEN_UNKNOWN, LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  openRoute(options: LiveRouteOptions): OpenRoute
  /** The owner of a route has changed. */
  onOwnerChange(): void
}

/** The output that has the lease. */
export interface LeaseOwner {
  /** Runs code of the output, which may throw. */
  enter(run: () => void): void
  readonly source: SourceView
}

const NO_COUNTERS = startCounters()

export class RouteLease implements LiveRoute {
  /** Called when its output disposes it; a route that is passed on then stays. By default nothing. */
  onDispose: () => void = () => undefined
  readonly #context: LeaseContext
  readonly #owner: LeaseOwner
  #options: LiveRouteOptions
  #held: OpenRoute | undefined
  #onCaughtUp: (() => void) | undefined
  #isEnded = false

  constructor(options: LiveRouteOptions, context: LeaseContext, owner: LeaseOwner) {
    this.#options = options
    this.#owner = owner
    this.#context = context
  }

  get isOpen(): boolean {
    return this.#held !== undefined
  }

  /** Its output has ended it: its viewers leave, and no other output takes it over. */
  get hasEnded(): boolean {
    return this.#held?.route.isEnded === true
  }

  /** Claims its path. Throws LISTEN_UNKNOWN, LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  open(): void {
    this.#hold(this.#context.openRoute(this.#options))
  }

  /**
   * Takes the route of the other lease, with its viewers, window and counters; opens one if that has none, or one that
   * has ended. Throws as `open` does; then the other lease has its route.
   */
  takeOver(before: RouteLease): void {
    const held = before.#held
    if (held === undefined || held.route.isEnded) {
      before.withdraw()
      return this.open()
    }
    held.paths.move(this.#options)
    before.#release()
    held.route.update(this.#options)
    held.ownAudience.rename(this.#options.id)
    this.#context.onOwnerChange()
    this.#hold(held)
  }

  /** A lease of the same route; the output of this one no longer reaches it. */
  passOn(): RouteLease {
    const next = new RouteLease(this.#options, this.#context, this.#owner)
    if (this.#held !== undefined) next.#hold(this.#held)
    this.#release()
    return next
  }

  /** The node that owns it has another id now. */
  rename(id: string): void {
    this.#options = { ...this.#options, id }
    const { route, ownAudience } = this.#held ?? {}
    route?.update({ ...route.options, id })
    ownAudience?.rename(id)
    this.#context.onOwnerChange()
  }

  /** Frees its paths at once, unless the next lease wants the same. Viewers stay. */
  withdraw(next?: RouteLease): void {
    const { paths } = this.#held ?? {}
    if (next === undefined || paths?.isAt(next.#options) === false) paths?.claims.withdraw()
  }

  /** Claims its path again, or that of the lease which is about to take it over. Throws as `open` does. */
  restore(next: RouteLease = this): void {
    this.#held?.paths.move(next.#options)
    this.#held?.paths.claims.restore()
  }

  push(entry: LiveEntry): void {
    checkEntry(entry)
    const { join } = entry
    this.#held?.route.push(
      join === undefined ? entry : { ...entry, join: guardJoin(join, (run) => this.#owner.enter(run)) },
    )
  }

  end(): void {
    this.#isEnded = true
    this.#held?.route.end()
  }

  async drained(): Promise<void> {
    await this.#held?.route.drained()
  }

  update(given: LiveRouteOptions): void {
    checkRouteOptions(given)
    const before = this.#options
    // The output may still use an older name of its node.
    const options = { ...given, id: before.id }
    // Unless the output itself moves, the route stays: at the paths of the next output if they have been claimed.
    if (options.listener !== before.listener || options.path !== before.path) this.#held?.paths.move(options)
    this.#options = options
    const route = this.#held?.route
    route?.update({ ...options, id: route.options.id })
  }

  get behindBytes(): number {
    return this.#held?.route.behindBytes ?? 0
  }

  get onCaughtUp(): (() => void) | undefined {
    return this.#onCaughtUp
  }

  set onCaughtUp(listen: (() => void) | undefined) {
    this.#onCaughtUp = listen
    if (this.#held !== undefined) this.#listen(this.#held)
  }

  get counters(): AudienceCounters {
    return this.#held?.route.counters ?? NO_COUNTERS
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.onDispose()
    await this.#held?.route[Symbol.asyncDispose]()
  }

  #hold(held: OpenRoute): void {
    this.#held = held
    held.route.source = this.#owner.source
    this.#listen(held)
    if (this.#isEnded) held.route.end()
  }

  #listen({ route }: OpenRoute): void {
    const listen = this.#onCaughtUp
    route.onCaughtUp = listen && ((): void => this.#owner.enter(listen))
  }

  #release(): void {
    if (this.#held !== undefined) this.#held.route.onCaughtUp = undefined
    this.#held = undefined
    this.#onCaughtUp = undefined
  }
}
