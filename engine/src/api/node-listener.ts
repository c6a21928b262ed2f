// The adapter between node:http and the router's fetch interface. Required, not imported: the declarations of
// @hono/node-server need the DOM library, which would let browser globals into every file of the engine. The part in
// use is declared here.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'

/** What the router receives along with the request. */
export interface NodeBindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

interface ListenerOptions {
  /** By default the adapter replaces Request and Response of the whole process. */
  readonly overrideGlobalObjects: false
  errorHandler(error: unknown): Response
}

interface NodeServerModule {
  getRequestListener(
    fetch: (request: Request, env: NodeBindings) => Response | Promise<Response>,
    options: ListenerOptions,
  ): (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

const require = createRequire(import.meta.url)
const nodeServer = require('@hono/node-server') as NodeServerModule

/** A listener for node:http; `onError` answers requests that are too malformed to be routed. */
export function listenerOf(
  fetch: (request: Request, env: NodeBindings) => Response | Promise<Response>,
  onError: (error: unknown) => Response,
): (request: IncomingMessage, response: ServerResponse) => void {
  const listener = nodeServer.getRequestListener(fetch, { overrideGlobalObjects: false, errorHandler: onError })
  return (request, response) => void listener(request, response)
}
