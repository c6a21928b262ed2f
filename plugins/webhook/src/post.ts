// One POST on a connection of its own: nothing is kept open between two notices, and what the other side answers is read
// up to a bound and thrown away.
import { request as requestHttp } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { NodeContext } from '@millrace/engine/plugin'

const MOST_ANSWER_BYTES = 64 * 1024

export interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Ends it, whatever it waits for. */
  readonly signal: AbortSignal
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
}

/** Resolves with the status; redirects are not followed. Rejects where no answer came. */
export function post({ url, headers, body, signal, guard }: PostRequest): Promise<number> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers, agent: false, signal })
    const readAnswer = guard((response: IncomingMessage) => {
      let left = MOST_ANSWER_BYTES
      const ignore = guard(() => undefined)
      const done = guard(() => resolve(response.statusCode ?? 0))
      const take = guard((part: Buffer) => {
        left -= part.length
        if (left < 0) request.destroy()
      })
      response.on('error', ignore).on('close', done).on('data', take)
    })
    request.once('response', readAnswer)
    request.on('error', guard(reject))
    request.end(body)
  })
}
