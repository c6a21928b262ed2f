// The paths of an output on its listener: the multivariant playlist, and the folder in which all else lies. A reload can
// change them while the output runs.
import type {
  Audience,
  HttpHandler,
  HttpRoutes,
  Listeners,
  Listing,
  MountOptions,
  Options,
} from '@millrace/engine/plugin'
import { folderOf, type HlsOptions } from '../options.js'
import { locate } from '../viewers/granted-paths.js'
import type { RequestHandler } from './request-handler.js'

export type MountListeners = Pick<Listeners, 'http'>

export interface MountParts {
  readonly listeners: MountListeners
  readonly handler: RequestHandler
  readonly options$: Options<HlsOptions>
  readonly audience: Audience
  /** The folder itself is a page for people. */
  readonly hasPage: boolean
}

type Place = Pick<HlsOptions, 'listener' | 'path'>

/** OPTIONS is a preflight, which the engine answers where pages of other origins may ask. */
const METHODS = ['GET', 'HEAD', 'OPTIONS']
const AS_STREAM: Listing = { kind: 'stream', label: 'HLS' }
const AS_PAGE: Listing = { kind: 'page', label: 'Watch' }

export class Mounts implements Disposable {
  readonly #parts: MountParts
  #place: Place
  #held: readonly Disposable[]
  #isRefused = false

  /** Throws as LISTENERS does. */
  constructor(parts: MountParts) {
    this.#parts = parts
    this.#place = parts.options$.value
    this.#held = this.#mount(this.#place)
  }

  /**
   * Moves to the paths in the options. Returns what is in the way: then the old paths stay; an empty text if nothing is
   * any more; undefined if nothing has changed.
   */
  update(): string | undefined {
    const { listener, path } = this.#parts.options$.value
    if (listener === this.#place.listener && path === this.#place.path && !this.#isRefused) return undefined
    const before = this.#place
    for (const held of this.#held) held[Symbol.dispose]()
    try {
      this.#held = this.#mount({ listener, path })
      this.#place = { listener, path }
      this.#isRefused = false
      return ''
    } catch (error) {
      this.#isRefused = true
      this.#held = this.#mountAgain(before)
      return error instanceof Error ? error.message : String(error)
    }
  }

  [Symbol.dispose](): void {
    for (const held of this.#held) held[Symbol.dispose]()
  }

  /** Nothing, if its listener is gone too. */
  #mountAgain(before: Place): readonly Disposable[] {
    try {
      return this.#mount(before)
    } catch {
      return []
    }
  }

  #mount(place: Place): readonly Disposable[] {
    const { listeners, handler, hasPage } = this.#parts
    const routes = listeners.http(place.listener)
    const folder = folderOf(place)
    const answer: HttpHandler = (request, response, visit) =>
      handler.answer({ request, response, visit }, locate(visit.path, place.path))
    const wanted: MountOptions[] = [
      this.#optionsOf(place, place.path, { listed: AS_STREAM }),
      this.#optionsOf(place, folder, { prefix: true }),
      ...(hasPage ? [this.#optionsOf(place, folder, { listed: AS_PAGE })] : []),
    ]
    return mountAll(routes, wanted, answer)
  }

  /** Those that the engine reads at each request follow the options. */
  #optionsOf(place: Place, path: string, more: Partial<MountOptions>): MountOptions {
    const { options$, audience, handler } = this.#parts
    const hint = `This needs the session that begins at ${place.path}: load that with your token, link or password.`
    return {
      ...{ path, methods: METHODS, audience, place: place.path, ...more },
      sessions: {
        find: (request) => handler.sessionOf(request, locate(request.path, place.path)),
        // Whoever opens the page has nothing yet: the provider asks for a password.
        ...(more.prefix === true ? { hint } : {}),
      },
      get auth() {
        return [options$.value.auth ?? []].flat()
      },
      get cors() {
        return [options$.value.cors ?? []].flat()
      },
    }
  }
}

/** All of them, or none: throws as LISTENERS does. */
function mountAll(routes: HttpRoutes, wanted: readonly MountOptions[], handle: HttpHandler): readonly Disposable[] {
  const held: Disposable[] = []
  try {
    for (const options of wanted) held.push(routes.mount(options, handle))
    return held
  } catch (error) {
    for (const each of held) each[Symbol.dispose]()
    throw error
  }
}
