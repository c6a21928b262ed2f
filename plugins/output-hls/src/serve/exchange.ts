// One request to an output, and what answers to requests have in common.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpVisit } from '@millrace/engine/plugin'
import type { Grant } from '../viewers/grants.js'

export interface HttpExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly visit: HttpVisit
}

export interface Exchange extends HttpExchange {
  /** The grant of the viewer, if it has one: in the path, in a cookie, or for the credentials that it presents. */
  readonly grant: Grant | undefined
  /** What leads from the path to the folder of the output: nothing, or `../` where the path is in the folder of a grant. */
  readonly toFolder: string
  /** What leads from the path to the folder of its grant: nothing where it is there. */
  readonly toGrant: string
  /** The last part of the path of the output. */
  readonly fileName: string
}

const RETRY_AFTER_SECONDS = 2

/** A sentence for people, without the end of the line; no cache keeps it. */
export function respondText({ request, response }: HttpExchange, status: number, sentence: string): void {
  const body = Buffer.from(`${sentence.replaceAll(/[^ -~]/g, '?')}\n`)
  response.writeHead(status, {
    ...{ 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length, 'Cache-Control': 'no-store' },
    ...(status === 503 ? { 'Retry-After': RETRY_AFTER_SECONDS } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
