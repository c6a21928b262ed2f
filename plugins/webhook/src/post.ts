// One POST on a connection of its own: no connection stays open between two notifications. The response body is read up
// to a limit and discarded.
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

const MAX_RESPONSE_BYTES = 64 * 1024

export interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Aborts the request at any point. */
  readonly signal: AbortSignal
}

/** Resolves with the status; redirects are not followed. Rejects if no response arrives. */
export function post({ url, headers, body, signal }: PostRequest): Promise<number> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      let left = MAX_RESPONSE_BYTES
      response.on('error', () => undefined)
      response.on('close', () => resolve(response.statusCode ?? 0))
      response.on('data', (part: Buffer) => {
        left -= part.length
        if (left < 0) request.destroy()
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}
