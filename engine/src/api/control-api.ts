// The control API on a node:http server: guard, then router. Answers every request; never throws into the listener.
import { type Context, Hono } from 'hono'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../plugin/contract.js'
import { ANSWER_HEADERS, API_ERRORS, apiError, type ApiErrorCode, JSON_TYPE } from './api-errors.js'
import { etagOf, namesEtag } from './etag.js'
import type { EventFeed } from './event-feed.js'
import { type Guard, guardOf, type GuardSettings, pathOf } from './guard.js'
import { listenerOf, type NodeBindings } from './node-listener.js'
import { isPageRequest, type StatusPage } from '../status-page/status-page.js'
import { readBody } from './read-body.js'
import { apiRoutes } from './route-table.js'
import type { Method, Route, RouteAnswer } from './route.js'
import type { OperatedSource } from '../observe/operator.js'

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void
type ApiContext = Context<{ Bindings: NodeBindings }>

export interface ControlApiSettings extends GuardSettings {
  readonly source: OperatedSource
  readonly feed: EventFeed
  /** By default there is none. */
  readonly page?: StatusPage
  readonly log: Logger
}

/** The handler of all requests on listener `api` whose path belongs to no node. It applies the guard itself. */
export function createControlApi(settings: ControlApiSettings): RequestHandler {
  const { source, feed, page, sessions, log } = settings
  const guard = guardOf(settings)
  const respond = serveRoutes(apiRoutes(source, feed, sessions), guard, log)
  return (request, response) => {
    if (page === undefined || !isPageRequest(request.method, pathOf(request))) respond(request, response)
    else if (guard(request, response)) page.respond(request, response)
  }
}

/** Serves a table of routes behind a guard. */
export function serveRoutes(routes: readonly Route[], guard: Guard, log: Logger): RequestHandler {
  const app = new Hono<{ Bindings: NodeBindings }>()
  for (const route of routes) {
    app.on(route.method, honoPath(route.path), async (c) => render(await runRoute(route, c, guard), c))
  }
  for (const [path, allow] of methodsByPath(routes)) {
    app.all(honoPath(path), (c) =>
      renderError('API_METHOD_NOT_ALLOWED', `${path} does not support ${c.req.method}`, { allow }),
    )
  }
  app.notFound(() => renderError('API_NOT_FOUND', 'there is nothing at this path'))
  app.onError((error) => {
    log.error({ err: error }, 'the control API failed to handle a request')
    return renderError('API_BUG', 'the control API failed to handle the request')
  })
  const listener = listenerOf(
    (request, env) => app.fetch(request, env),
    () => renderError('API_BAD_REQUEST', 'the request is malformed'),
  )
  return (request, response) => {
    if (guard(request, response)) listener(request, response)
  }
}

async function runRoute(route: Route, c: ApiContext, guard: Guard): Promise<RouteAnswer> {
  if (route.needsToken === true && !guard.hasToken(c.env.incoming)) {
    return { error: 'API_TOKEN_NEEDED', message: 'this request needs the token of the control API' }
  }
  const query = parseQuery(route, new URL(c.req.url).searchParams)
  if ('problem' in query) return { error: 'API_BAD_REQUEST', message: query.problem }
  const body = await parseBody(route, c.req.raw)
  if ('error' in body) return body
  const params = c.req.param() as Readonly<Record<string, string>>
  const accept = c.req.header('accept') ?? ''
  return route.answer({
    params,
    query: query.values,
    mayRead: guard.mayRead(c.env.incoming),
    isSecure: c.req.url.startsWith('https:') || c.req.header('x-forwarded-proto') === 'https',
    body: body.value,
    accepts: (type) => accept.includes(type),
    // Over HTTP/2 the router does not know it; the listener has set it.
    header: (name) => (name === 'host' ? c.env.incoming.headers.host : c.req.header(name)),
  })
}

async function parseBody(
  { body }: Route,
  request: Request,
): Promise<{ readonly value: unknown } | Extract<RouteAnswer, { readonly error: unknown }>> {
  if (body === undefined) return { value: undefined }
  const text = await readBody(request, body.mostBytes)
  if (text === undefined) return { error: 'API_TOO_LARGE', message: `the body is larger than ${body.mostBytes} bytes` }
  if (text === '' && body.isOptional === true) return { value: undefined }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { error: 'API_BAD_REQUEST', message: 'the body is not JSON' }
  }
  const checked = body.schema.safeParse(value)
  if (checked.success) return { value: checked.data }
  const problems = checked.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  return { error: 'API_BAD_REQUEST', message: problems.join('; ') }
}

type ParsedQuery = { readonly values: Readonly<Record<string, string>> } | { readonly problem: string }

/** A misspelt parameter must not silently change what is returned, so unknown and repeated ones are refused. */
function parseQuery(route: Route, search: URLSearchParams): ParsedQuery {
  const known = Object.keys(route.query?.shape ?? {})
  const values: Record<string, string> = {}
  for (const [name, value] of search) {
    if (!known.includes(name)) return { problem: `there is no query parameter ${JSON.stringify(name)}` }
    if (Object.hasOwn(values, name)) return { problem: `the query parameter "${name}" is repeated` }
    values[name] = value
  }
  const checked = route.query?.safeParse(values)
  if (checked?.success === false) return { problem: checked.error.issues.map((issue) => issue.message).join('; ') }
  return { values }
}

/** `/a/{b}` in the form of the router: `/a/:b`. */
function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}

/** The value of Allow for each path; RFC 9110 section 9.3.2: a path that supports GET supports HEAD. */
function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, string> {
  const methods = new Map<string, Set<Method | 'HEAD'>>()
  for (const { method, path } of routes) {
    const allowed = methods.get(path) ?? new Set()
    methods.set(path, allowed.add(method))
    if (method === 'GET') allowed.add('HEAD')
  }
  return new Map([...methods].map(([path, allowed]) => [path, [...allowed].join(', ')]))
}

function render(answer: RouteAnswer, c: ApiContext): Response {
  if ('error' in answer) return renderError(answer.error, answer.message)
  if ('stream' in answer) {
    answer.stream(c.env.outgoing)
    // The adapter leaves a response with this header alone.
    return new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
  }
  const [type, body] =
    'text' in answer
      ? [answer.type ?? 'text/plain; charset=utf-8', answer.text]
      : [JSON_TYPE, JSON.stringify(answer.json)]
  const more = 'headers' in answer ? answer.headers : {}
  const headers = { ...ANSWER_HEADERS, 'content-type': type, ...more }
  if (answer.isTagged !== true) return new Response(body, { status: answer.status, headers })
  const etag = ('tag' in answer ? answer.tag : undefined) ?? etagOf(body)
  const known = c.req.header('if-none-match') ?? ''
  // Clients may keep it, but must revalidate it each time.
  const tagged = { ...headers, etag, vary: 'accept', 'cache-control': 'no-cache' }
  if (known !== '*' && namesEtag(known, [etag])) return new Response(null, { status: 304, headers: tagged })
  return new Response(body, { status: answer.status, headers: tagged })
}

function renderError(code: ApiErrorCode, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(apiError(code, message)), {
    status: API_ERRORS[code].status,
    headers: { ...ANSWER_HEADERS, 'content-type': JSON_TYPE, ...headers },
  })
}
