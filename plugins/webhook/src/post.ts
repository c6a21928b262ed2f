// One POST on a connection of its own: no connection stays open between two notifications. The response body is read up
// to a limit and discarded.
import { request as requestHttp } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { NodeContext } from '@millrace/engine/plugin'

const MAX_RESPONSE_BYTES = 64 * 1024

export interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Aborts the request at any point. */
  readonly signal: AbortSignal
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
}

/** Resolves with the status; redirects are not followed. Rejects if no response arrives. */
export function post({ url, headers, body, signal, guard }: PostRequest): Promise<number> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers, agent: false, signal })
    const readResponse = guard((response: IncomingMessage) => {
      let left = MAX_RESPONSE_BYTES
      const ignore = guard(() => undefined)
      const done = guard(() => resolve(response.statusCode ?? 0))
      const take = guard((part: Buffer) => {
        left -= part.length
        if (left < 0) request.destroy()
      })
      response.on('error', ignore).on('close', done).on('data', take)
    })
    request.once('response', readResponse)
    request.on('error', guard(reject))
    request.end(body)
  })
}
