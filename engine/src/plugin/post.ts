// One POST to a web server of the user: signed, without redirects, and with a limit for the body of the response. No proxy
// of the environment is used.
import { createHmac } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import type { Agent, IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { NodeContext } from './contract.js'

const MAX_RESPONSE_BYTES = 64 * 1024

export interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Aborts the request at any point. */
  readonly signal: AbortSignal
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
  /**
   * Keeps connections open between requests. A request that fails because the server has just closed such a connection
   * is sent once more. By default each request has a connection of its own.
   */
  readonly agent?: Agent
}

export interface PostAnswer {
  readonly status: number
  /** At most 64 KiB. */
  readonly body: Uint8Array
  /** The whole body has arrived, and fits. */
  readonly isWhole: boolean
}

/** Resolves when the response has ended, or is too large; redirects are not followed. Rejects if no response arrives. */
export function post(given: PostRequest): Promise<PostAnswer> {
  const { url, headers, body, signal, guard, agent } = given
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers, agent: agent ?? false, signal })
    const fail = guard((error: unknown) => {
      const { agent: _, ...fresh } = given
      if (request.reusedSocket && !signal.aborted) resolve(post(fresh))
      else reject(error as Error)
    })
    const readResponse = guard((response: IncomingMessage) => {
      const parts: Buffer[] = []
      let left = MAX_RESPONSE_BYTES
      const ignore = guard(() => undefined)
      const done = guard(() => {
        const isWhole = response.complete && left >= 0
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts), isWhole })
      })
      const take = guard((part: Buffer) => {
        left -= part.length
        if (left < 0) request.destroy()
        else parts.push(part)
      })
      response.on('error', ignore).on('close', done).on('data', take)
    })
    request.once('response', readResponse)
    request.on('error', fail)
    request.end(body)
  })
}

/** The value of the header X-Millrace-Signature: HMAC-SHA256 (RFC 2104) of the body. */
export function signBody(body: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}
