// Requests to the control API of a running engine.
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { hostOf, isLoopback, plainAddress } from '../api/host-name.js'
import { apiErrorSchema, engineStatusSchema } from '../observe/status.js'
import { readToken } from '../state/state-dir.js'

const DEFAULT_API = 'http://127.0.0.1:9990'
/** The state folder of an engine started in this folder, unless its configuration names another. */
const DEFAULT_STATE_DIR = '.millrace'
const TIMEOUT_MS = 5000
/**
 * The token goes to nobody else. Not `error`: with it, Node 20 loses the signal of a request once it has collected garbage,
 * and a body that stops is waited for.
 */
export const NO_REDIRECT = 'manual'

export type ApiReply =
  /** `json`: undefined if the reply is not JSON. */
  | { readonly reached: true; readonly json: unknown; readonly text: string }
  /** `why`: one sentence. `status`, `json`: of the refusal, if the engine replied with one. */
  | { readonly reached: false; readonly why: string; readonly status?: number; readonly json?: unknown }

export interface ApiRequest {
  /** Sent as JSON. */
  readonly body?: unknown
  /** By default 5 s. */
  readonly timeoutMs?: number
}

/** `127.0.0.1:9990`, as the log says it. */
const HOST_AND_PORT = /^[^/\s@]+:\d{1,5}\/?$/

export interface ApiTarget {
  readonly url: URL
  readonly token: string | undefined
}

/** From `--api`, else ENGINE_API, else the default; undefined if that is not an http or https URL, or host:port. */
export function apiUrl(option: string | undefined, env: Readonly<Record<string, string | undefined>>): URL | undefined {
  const given = option ?? (env['ENGINE_API'] || DEFAULT_API)
  const text = HOST_AND_PORT.test(given) ? `http://${given}` : given
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined
}

/**
 * ENGINE_TOKEN, else the token in the state folder below `folder` if this user may read it. The latter belongs to an
 * engine on this machine and is never sent to another machine.
 */
export async function findToken(
  url: URL,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<string | undefined> {
  if (env['ENGINE_TOKEN']) return env['ENGINE_TOKEN']
  if (!isThisMachine(url)) return undefined
  return readToken(join(folder, DEFAULT_STATE_DIR)).catch(() => undefined)
}

/**
 * The token for a write request: as `findToken`, but the engine is asked for its state folder first. Only for an engine
 * on this machine, and only if this user may read the token.
 */
export async function findWritingToken(
  url: URL,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<string | undefined> {
  if (!env['ENGINE_TOKEN'] && isThisMachine(url)) {
    const reply = await getFromApi({ url, token: undefined }, '/api/v1/status?copies=none')
    const status = engineStatusSchema.safeParse(reply.reached ? reply.json : undefined)
    const token = status.success ? await readToken(status.data.stateDir).catch(() => undefined) : undefined
    if (token !== undefined) return token
  }
  return findToken(url, env, folder)
}

function getFromApi(target: ApiTarget, path: string): Promise<ApiReply> {
  return askApi(target, path, 'GET')
}

export async function askApi(
  { url, token }: ApiTarget,
  path: string,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  { body, timeoutMs = TIMEOUT_MS }: ApiRequest = {},
): Promise<ApiReply> {
  const target = new URL(path, url)
  const type = method === 'GET' ? {} : { 'content-type': 'application/json' }
  try {
    const response = await fetch(target, {
      method,
      headers: token === undefined ? type : { ...type, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: NO_REDIRECT,
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    const isJson = /^application\/json\b/.test(response.headers.get('content-type') ?? '')
    const json = isJson ? (JSON.parse(text) as unknown) : undefined
    if (response.ok) return { reached: true, json, text }
    return { reached: false, why: refusalOf(target, response.status, json), status: response.status, json }
  } catch (error) {
    return { reached: false, why: `no engine answers at ${target.origin}: ${causeOf(error, timeoutMs)}` }
  }
}

/** What the engine says about a request that it refused. */
export function refusalOf(target: URL, status: number, json: unknown): string {
  const parsed = apiErrorSchema.safeParse(json)
  if (!parsed.success) return `${target.origin} answered with status ${status}, and is not a control API`
  const { message, help } = parsed.data.error
  return `${target.origin} refused: ${message}${help === undefined ? '' : ` (${help})`}`
}

/** fetch hides the cause of a failed connection behind "fetch failed". */
function causeOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no reply within ${timeoutMs / 1000} s`
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause
  // https://fetch.spec.whatwg.org/#bad-port
  if (cause instanceof Error && cause.message === 'bad port') return 'HTTP clients never connect to this port'
  if (cause instanceof Error && isOtherProtocol(cause)) {
    return `what listens there does not speak HTTP (${cause.message}): another port of the engine?`
  }
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}

/** As undici reports what is not HTTP, and a connection that is closed before an answer. */
function isOtherProtocol(cause: Error): boolean {
  const code = 'code' in cause ? String(cause.code) : ''
  return code.startsWith('HPE_') || (code === 'UND_ERR_SOCKET' && cause.message === 'other side closed')
}

function isThisMachine(url: URL): boolean {
  const host = hostOf(url.host)
  if (host === undefined) return false
  if (host === 'localhost' || isLoopback(host)) return true
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return own.some(({ address }) => plainAddress(address) === host)
}
