// A server of the tests: paths with what they answer at each moment of a clock that only the probe moves.
import type { HttpClient, HttpRequest } from './http-client.js'
import type { ProbeClock } from './probe-report.js'

interface Served {
  readonly status?: number
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** What a path answers that many seconds after the start; undefined: 404. */
export type Script = Readonly<Record<string, (second: number, request: HttpRequest) => Served | undefined>>

export interface ScriptedServer extends HttpClient {
  readonly clock: ProbeClock
  /** `METHOD path` of each request. */
  readonly asked: readonly string[]
}

const HLS_HEADERS = { 'content-type': 'application/vnd.apple.mpegurl', 'content-encoding': 'gzip' }

export function serveScript(script: Script): ScriptedServer {
  const asked: string[] = []
  let nowMs = 0
  const clock: ProbeClock = {
    nowMs: () => nowMs,
    sleep: (ms) => {
      nowMs += ms
      return Promise.resolve()
    },
  }
  const get: HttpClient['get'] = (url, request) => {
    const path = new URL(url).pathname
    asked.push(`${request.method ?? 'GET'} ${path}`)
    const served = script[path]?.(nowMs / 1000, request)
    const { status = served === undefined ? 404 : 200, body = '', headers } = served ?? {}
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    const kept = bytes.subarray(0, request.maxBytes)
    const all: Readonly<Record<string, string>> = { ...HLS_HEADERS, 'content-length': String(bytes.length), ...headers }
    return Promise.resolve({ url, status, bytes: kept, isCut: kept.length < bytes.length, header: (name) => all[name] })
  }
  return { clock, asked, get }
}
