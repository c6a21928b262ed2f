// How a viewer arrived: the path that it requested, and over HTTP/2 the means to send the head of the response.
import type { Visit, Visitor } from '../listen/stream-handler.js'
import type { Who } from '../plugin/audience.js'
import type { Admission } from './authorized-handler.js'
import type { RoutePath } from './route-paths.js'

/** What is kept of a request. */
export interface Arrival extends Pick<Visitor, 'headAtMs' | 'respond'> {
  readonly routePath: RoutePath
  /** It has received nothing: what its admission has used up can be used again. */
  readonly giveBack?: () => void
}

/** Leaves out what must not be kept of the visit. */
export function arrivalOf({ headAtMs, respond }: Visit, { routePath, giveBack }: Admission): Arrival {
  return { routePath, headAtMs, ...(respond && { respond }), ...(giveBack && { giveBack }) }
}

/** `userAgent`: as sent. */
export function whoOf({ client, address }: Visit, { routePath, user, userAgent: agent }: Admission): Who {
  const { listener, path: place } = routePath
  return { protocol: listener.protocol, listener: listener.name, client, address, user, agent, place }
}
