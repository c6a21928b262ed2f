// Requests for paths that nobody has, while nodes that want them are not open: all when an engine starts, and later those
// that cannot open. Many players give up at a 404 of a playlist, and ask again after a 503.
import { decodeTarget } from './request-head.js'
import { type Respond, respondText } from './request-dispatch.js'

const SENTENCE = 'The engine is starting, and nothing has this path so far. Try again in a second.'

/** Nothing in it is secret: players on pages of every origin may see that they have to ask again. */
const HEADERS = { 'Retry-After': '1', 'Cache-Control': 'no-store', 'Access-Control-Allow-Origin': '*' }

export interface StartingNodes {
  /** Nodes open for the first time: a path that nobody has may be one of theirs. */
  readonly isStarting: boolean
  /** A sentence, if a node is to have this path and is not open; undefined if none is. */
  whyClosed(path: string): string | undefined
}

/** `respond`, but 503 as long as nodes may not have their paths yet. */
export function onceStarted(respond: Respond, nodes?: StartingNodes): Respond {
  return (request, response) => {
    const why =
      nodes?.isStarting === true ? SENTENCE : nodes?.whyClosed(decodeTarget(request.method ?? '', request.url ?? ''))
    if (why === undefined) return respond(request, response)
    return respondText(response, 503, why, HEADERS)
  }
}
