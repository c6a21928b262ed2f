// One HTTP request on its own connection, so no connection stays open afterwards. What the engine wrote to its log before it
// answered has been read when the response is there.
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface HttpRequestOptions {
  readonly method?: string
  /** May include `host`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const TIMEOUT_MS = 60_000

export function httpRequest(url: string | URL, options: HttpRequestOptions = {}): Promise<HttpResponse> {
  const { method = 'GET', headers = {}, body } = options
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      const { statusCode: status = 0, headers: received } = response
      // After what else is there to be read in this turn of the event loop.
      response.on('end', () => void setImmediate(resolve, { status, headers: received, text }))
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** The JSON of a response, which must have this status. */
export async function getJson<T>(url: string | URL, status = 200, options: HttpRequestOptions = {}): Promise<T> {
  const answer = await httpRequest(url, options)
  if (answer.status !== status) throw new Error(`${String(url)} answered ${answer.status}: ${answer.text}`)
  return JSON.parse(answer.text) as T
}
