// The paths that a pattern pipeline owns on listeners: those of its outputs, for every key that it takes.
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { readResources } from '../../config/section/resources.js'
import type { Pipeline } from '../../graph/graph.js'
import { STREAM_TEXT } from '../../graph/stream-keys.js'
import type { PatternRoute } from '../../listen/route-table.js'
import { type PathPattern, WaitingRequests } from '../../listen/waiting-requests.js'
import { LogLimit } from '../../observe/log-limit.js'
import type { OfflineAnswer } from '../../plugin/resource.js'
import type { Clock } from '../../plugin/tokens.js'

export interface PatternListeners {
  /** Throws LISTEN_UNKNOWN. */
  http(name: string): { claimPattern(pattern: PatternRoute): Disposable }
}

export interface PatternPathsParts {
  readonly listeners: PatternListeners
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  /** A stream of that key can be published. */
  takesKey(key: string): boolean
}

interface PatternPath {
  readonly listener: string
  readonly pattern: PathPattern
  readonly offline: OfflineAnswer
}

interface HeldPath extends PatternPath {
  readonly requests: WaitingRequests
  readonly claim: Disposable
}

/** Says once in this time that too many requests wait. */
const TELL_EVERY_MS = 60_000

export class PatternPaths {
  readonly #parts: PatternPathsParts
  readonly #fullLines: LogLimit
  #held: readonly HeldPath[] = []

  constructor(parts: PatternPathsParts) {
    this.#parts = parts
    this.#fullLines = new LogLimit(parts.clock, TELL_EVERY_MS)
  }

  /** How many requests wait for a stream now. */
  get waiting(): number {
    return this.#held.reduce((sum, { requests }) => sum + requests.size, 0)
  }

  /** From now on it owns the paths of this specification; none if it is undefined. Requests for a path that stays wait on. */
  update(pipeline: Pipeline | undefined): void {
    const paths = pipeline === undefined ? [] : httpPathsOf(pipeline)
    const heldAt = (path: PatternPath): HeldPath | undefined => this.#held.find((held) => isSamePath(held, path))
    const next = paths.map((path) => [path, heldAt(path)] as const)
    const kept = new Set(next.map(([, held]) => held))
    for (const held of this.#held) {
      if (kept.has(held)) continue
      held.claim[Symbol.dispose]()
      held.requests.close()
    }
    this.#held = next.map(([path, held]) => {
      held?.requests.update(path.offline)
      return held ?? this.#hold(path)
    })
  }

  #hold(path: PatternPath): HeldPath {
    const { listeners, clock, log, takesKey } = this.#parts
    const { listener, pattern, offline } = path
    const at = `${pattern.before}*${pattern.after}`
    const requests = new WaitingRequests({
      ...{ pattern, offline, clock, takesKey },
      onFull: (full) =>
        this.#fullLines.log((leftOut) => {
          log.warn({ path: at, ...full, ...leftOut }, 'too many requests wait for streams that nobody publishes')
        }),
    })
    return { ...path, requests, claim: listeners.http(listener).claimPattern(requests) }
  }
}

function isSamePath(a: PatternPath, b: PatternPath): boolean {
  return a.listener === b.listener && isDeepStrictEqual(a.pattern, b.pattern)
}

/** Without paths that have the key more than once: those are not found there until a copy has them. */
function httpPathsOf({ nodes }: Pipeline): readonly PatternPath[] {
  return nodes.flatMap((node) =>
    readResources(node).flatMap((resource) => {
      if (resource.kind !== 'http') return []
      const { listener, path, prefix: isPrefix = false, offline = {} } = resource
      const [before, after, ...more] = path.split(STREAM_TEXT)
      if (before === undefined || after === undefined || more.length > 0) return []
      return [{ listener, pattern: { before, after, isPrefix }, offline }]
    }),
  )
}
