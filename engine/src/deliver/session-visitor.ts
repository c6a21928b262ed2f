// What a session keeps of its visitor, and what watchers of sessions see of it.
import type { Visit, Visitor } from '../listen/stream-handler.js'
import type { SessionStart } from '../observe/viewer-events.js'
import type { Admission } from './authorized-handler.js'
import type { RoutePath } from './route-paths.js'

/** A visitor with its session id and the outcome of its authorization. */
export interface SessionVisitor extends Visitor {
  readonly id: string
  readonly user: string | undefined
  readonly userAgent: string
  /** The path that it requested. */
  readonly routePath: RoutePath
}

/** Leaves out what must not be kept of the visit. */
export function visitorOf(
  { client, address, headAtMs, respond }: Visit,
  admission: Admission,
  id = '',
): SessionVisitor {
  return { id, ...admission, client, address, headAtMs, ...(respond === undefined ? {} : { respond }) }
}

/** `node`: id of the output. */
export function sessionOf({ id, routePath, client, user, userAgent }: SessionVisitor, node: string): SessionStart {
  return { id, node, path: routePath.path, client, user, userAgent }
}
