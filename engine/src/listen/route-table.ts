// The routes of a listener: one path, or a prefix with every path below it; each goes to a stream handler (live) or to
// a handler of ordinary requests. An exact path wins over patterns, and those over prefixes, a longer prefix over a
// shorter one.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenError } from './listen-errors.js'
import type { ListedRoute, RouteListing } from './route-listing.js'
import type { StreamHandler, Visit } from './stream-handler.js'

/** Its failure, thrown or rejected, is answered with 500; a value that it returns means nothing. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse, visit: Visit) => unknown

interface RoutePlace {
  /** Decoded, starts with a slash; a prefix ends with one too. */
  readonly path: string
  /** Every path below it as well. By default only the path itself. */
  readonly isPrefix?: boolean
  /** How the index shows it; undefined if it does not. Read whenever it is asked for. */
  listing?(): RouteListing | undefined
  /** With it, the route yields to any later claim of its path; called then. */
  onTaken?(): void
}

interface LivePath extends RoutePlace {
  readonly stream: StreamHandler
}

export interface OrdinaryRoute extends RoutePlace {
  readonly respond: RequestHandler
  /** By default GET and HEAD. */
  readonly methods?: readonly string[]
}

export type Route = LivePath | OrdinaryRoute

/** The paths of a pattern pipeline, as long as no route of a copy has them. Checked configurations have no two for a path. */
export interface PatternRoute {
  matches(path: string): boolean
  /** What answers a request for this path. */
  routeOf(path: string): Route
  /** A route for such paths has been claimed. */
  onClaimed(route: Route): void
}

export class RouteTable {
  readonly #listener: string
  readonly #exact = new Map<string, Route>()
  readonly #prefixes = new Map<string, Route>()
  readonly #patterns = new Set<PatternRoute>()
  /** Lengths of the prefixes, longest first. */
  #lengths: readonly number[] = []

  constructor(listener: string) {
    this.#listener = listener
  }

  /** Requests go to the route until disposed. Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH; then nothing has changed. */
  claim(route: Route): Disposable {
    checkPlace(route)
    const table = route.isPrefix === true ? this.#prefixes : this.#exact
    const { path } = route
    const before = table.get(path)
    if (this.#isTaken(route, before)) {
      throw listenError('LISTEN_PATH_TAKEN', `${path} of listener "${this.#listener}" is taken`)
    }
    table.set(path, route)
    this.#measure()
    before?.onTaken?.()
    if (route.isPrefix === true) this.#takeBelow(path)
    for (const pattern of this.#patterns) if (pattern.matches(path)) pattern.onClaimed(route)
    return {
      [Symbol.dispose]: () => {
        if (table.get(path) !== route) return
        table.delete(path)
        this.#measure()
      },
    }
  }

  /** Paths that no route has go to the pattern until disposed. */
  claimPattern(pattern: PatternRoute): Disposable {
    this.#patterns.add(pattern)
    return { [Symbol.dispose]: () => void this.#patterns.delete(pattern) }
  }

  /** What the index can show, in the order in which it was claimed. */
  listed(): readonly ListedRoute[] {
    return Array.from(this.#exact.values()).flatMap((route) => {
      const listing = route.listing?.()
      return listing === undefined ? [] : [{ ...listing, path: route.path }]
    })
  }

  /** `path`: decoded. `target`: as requested; a prefix or a pattern matches only if both have the same segments. */
  find(path: string, target: string): Route | undefined {
    const exact = this.#exact.get(path)
    // A slash that was sent encoded is part of a name, and no path has such a name.
    if (exact !== undefined) return hasEncodedSlash(target) ? undefined : exact
    if (this.#lengths.length === 0 && this.#patterns.size === 0) return undefined
    // A prefix of a copy is longer than the pattern that it comes from.
    const found = this.#patternOf(path) ?? this.#prefixOf(path)
    return found !== undefined && isPlain(path, target) ? found : undefined
  }

  #patternOf(path: string): Route | undefined {
    for (const pattern of this.#patterns) {
      if (!pattern.matches(path)) continue
      const prefix = this.#prefixOf(path)
      return prefix !== undefined && pattern.matches(prefix.path) ? prefix : pattern.routeOf(path)
    }
    return undefined
  }

  /** A route that yields also yields to the prefixes that are there. */
  #isTaken(route: Route, before: Route | undefined): boolean {
    if (before !== undefined) return before.onTaken === undefined || route.onTaken !== undefined
    return route.onTaken !== undefined && this.#prefixOf(route.path) !== undefined
  }

  #takeBelow(prefix: string): void {
    for (const [path, { onTaken }] of this.#exact) {
      if (onTaken === undefined || !path.startsWith(prefix)) continue
      this.#exact.delete(path)
      onTaken()
    }
  }

  /** Costs as much as there are lengths, however many slashes a client sends. */
  #prefixOf(path: string): Route | undefined {
    for (const length of this.#lengths) {
      const route = length <= path.length ? this.#prefixes.get(path.slice(0, length)) : undefined
      if (route !== undefined) return route
    }
    return undefined
  }

  #measure(): void {
    const lengths = new Set(Array.from(this.#prefixes.keys(), ({ length }) => length))
    this.#lengths = [...lengths].sort((a, b) => b - a)
  }
}

/** Throws LISTEN_BAD_PATH. */
export function checkPlace({ path, isPrefix = false }: RoutePlace): void {
  if (!path.startsWith('/')) throw listenError('LISTEN_BAD_PATH', `the path "${path}" does not start with a slash`)
  if (isPrefix && !path.endsWith('/'))
    throw listenError('LISTEN_BAD_PATH', `the prefix "${path}" does not end with a slash`)
}

/** In the path of a request: it is answered with 404. */
export const ENCODED_SEPARATOR = /%(?:2f|5c)/i

/**
 * Nothing in the path can lead out of a prefix: no `.` or `..`, no empty segment, and every separator is a slash that
 * the client sent as one.
 */
function isPlain(path: string, target: string): boolean {
  const query = target.indexOf('?')
  if (path.includes('\\') || ENCODED_SEPARATOR.test(query < 0 ? target : target.slice(0, query))) return false
  const segments = path.slice(1).split('/')
  return segments.every((segment, index) =>
    segment === '' ? index === segments.length - 1 : segment !== '.' && segment !== '..',
  )
}

function hasEncodedSlash(target: string): boolean {
  const query = target.indexOf('?')
  return target.includes('%') && /%(?:2f|5c)/i.test(query < 0 ? target : target.slice(0, query))
}
