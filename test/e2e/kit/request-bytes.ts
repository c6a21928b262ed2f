// One HTTP request on its own connection, with the body as bytes, whole: rejects if the server ends in the middle of it.
import { request } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

export interface BytesAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const TIMEOUT_MS = 10_000

export function requestBytes(
  url: string,
  {
    method = 'GET',
    headers = {},
  }: { readonly method?: string | undefined; readonly headers?: OutgoingHttpHeaders } = {},
): Promise<BytesAnswer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false, signal }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part)).on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) })
      })
    })
    asked.on('error', reject).end()
  })
}
