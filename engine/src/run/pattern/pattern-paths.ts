// The paths that a pattern pipeline owns on listeners: those of its outputs, for every key that it takes.
import { readResources } from '../../config/section/resources.js'
import type { Pipeline } from '../../graph/graph.js'
import { STREAM_TEXT } from '../../graph/stream-keys.js'
import type { PatternRoute } from '../../listen/route-table.js'
import { WaitingRequests } from '../../listen/waiting-requests.js'
import type { Clock } from '../../plugin/tokens.js'

export interface PatternListeners {
  /** Throws LISTEN_UNKNOWN. */
  http(name: string): { claimPattern(pattern: PatternRoute): Disposable }
}

export class PatternPaths {
  readonly #listeners: PatternListeners
  readonly #clock: Clock
  readonly #takesKey: (key: string) => boolean
  #held: readonly { readonly requests: WaitingRequests; readonly claim: Disposable }[] = []
  #now = ''

  constructor(listeners: PatternListeners, clock: Clock, takesKey: (key: string) => boolean) {
    this.#listeners = listeners
    this.#clock = clock
    this.#takesKey = takesKey
  }

  /** From now on it owns the paths of this specification; none if it is undefined. */
  update(pipeline: Pipeline | undefined): void {
    const paths = pipeline === undefined ? [] : httpPathsOf(pipeline)
    const next = JSON.stringify(paths)
    if (next === this.#now) return
    this.#now = next
    for (const { requests, claim } of this.#held) {
      claim[Symbol.dispose]()
      requests.close()
    }
    this.#held = paths.map(({ listener, ...pattern }) => {
      const requests = new WaitingRequests(pattern, this.#takesKey, this.#clock)
      return { requests, claim: this.#listeners.http(listener).claimPattern(requests) }
    })
  }
}

/** Without paths that have the key more than once: those are not found there until a copy has them. */
function httpPathsOf({ nodes }: Pipeline) {
  return nodes.flatMap((node) =>
    readResources(node).flatMap((resource) => {
      if (resource.kind !== 'http') return []
      const [before, after, ...more] = resource.path.split(STREAM_TEXT)
      if (before === undefined || after === undefined || more.length > 0) return []
      return [{ listener: resource.listener, before, after, isPrefix: resource.prefix === true }]
    }),
  )
}
