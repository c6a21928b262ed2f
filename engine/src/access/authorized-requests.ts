// Ordinary requests with authorization first: the handler sees only admitted ones, and who sent them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { respondText } from '../listen/request-dispatch.js'
import type { RequestHandler } from '../listen/route-table.js'
import type { Visit } from '../listen/stream-handler.js'
import type { AccessDecision, Auth } from '../plugin/auth.js'
import type { HttpHandler } from '../plugin/http-routes.js'
import { authorize, type Denial } from './authorize.js'

const TEXTS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too many requests',
  503: 'Service unavailable',
}

/** `names` returns the access providers of the path, read at each request. */
export function authorizeRequests(
  auth: Auth | undefined,
  names: () => readonly string[],
  handle: HttpHandler,
): RequestHandler {
  const answer = (
    decision: AccessDecision,
    [request, response, visit]: readonly [IncomingMessage, ServerResponse, Visit],
  ): unknown => {
    // The client may have gone while its password was checked.
    if (response.destroyed) return
    if (!decision.allowed) return deny(response, decision)
    const { client, address, path, query } = visit
    return handle(request, response, { client, address, user: decision.user, path, query })
  }
  return (request, response, visit) => {
    const decision = authorize(auth, names(), visit)
    if (decision instanceof Promise) return decision.then((late) => answer(late, [request, response, visit]))
    return answer(decision, [request, response, visit])
  }
}

function deny(response: ServerResponse, { status, headers }: Denial): void {
  respondText(response, status, TEXTS[status] ?? 'Refused', { ...headers, 'Cache-Control': 'no-store' })
}
