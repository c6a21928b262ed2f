// Serves the status page at `/` of the listener `api`, and its files under `/api/page/`. They say nothing about the engine,
// so they need no token: what the page shows it asks of the control API, like any other client.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { NOTHING_SERVED } from '../listen/request-dispatch.js'
import type { Logger } from '../plugin/contract.js'
import { type PageFile, type PageFiles, readPageFiles } from './page-files.js'

const PAGE_PATH = '/'
const FILES = '/api/page/'
const A_YEAR = 31_536_000
/** Nothing inline, nothing from elsewhere, and no text can become markup (Trusted Types). */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
].join('; ')

/** Whether a request is for the page or one of its files. */
export function isPageRequest(method: string | undefined, path: string): boolean {
  return (method === 'GET' || method === 'HEAD') && (path === PAGE_PATH || path.startsWith(FILES))
}

export class StatusPage {
  readonly #log: Logger
  #files: Promise<PageFiles> | undefined

  constructor(log: Logger) {
    this.#log = log
  }

  /** Answers a request of `isPageRequest`. */
  respond(request: IncomingMessage, response: ServerResponse): void {
    this.#files ??= readPageFiles()
    this.#files.then(
      (files) => send(request, response, files),
      (error: unknown) => {
        this.#files = undefined
        this.#log.error({ err: error }, 'the files of the status page could not be read')
        response.writeHead(500, { 'content-type': 'text/plain' }).end('the status page could not be read\n')
      },
    )
  }
}

function send(request: IncomingMessage, response: ServerResponse, { page, hash, byPath }: PageFiles): void {
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  if (path === PAGE_PATH) {
    return sendFile(request, response, page, {
      'cache-control': 'no-cache',
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    })
  }
  const [folder = '', ...rest] = path.slice(FILES.length).split('/')
  const file = folder === hash ? byPath.get(rest.join('/')) : undefined
  if (file !== undefined) {
    return sendFile(request, response, file, { 'cache-control': `public, max-age=${A_YEAR}, immutable` })
  }
  response
    .writeHead(404, { 'content-type': 'text/plain', 'x-content-type-options': 'nosniff' })
    .end(`${NOTHING_SERVED}\n`)
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { type, bytes, tag }: PageFile,
  more: Readonly<Record<string, string>>,
): void {
  const headers = {
    etag: tag,
    'x-content-type-options': 'nosniff',
    ...more,
    'cross-origin-resource-policy': 'same-origin',
  }
  if ((request.headers['if-none-match'] ?? '').split(/ *, */).includes(tag)) {
    response.writeHead(304, headers).end()
    return
  }
  response.writeHead(200, { ...headers, 'content-type': type, 'content-length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}
