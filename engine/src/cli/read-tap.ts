// Reads a tap of a running engine. Not with fetch, which does not show trailers: they say what was lost.
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { type ApiTarget, refusalOf } from './request-api.js'

const CONNECT_WITHIN_MS = 5000
const MOST_REFUSAL_BYTES = 64 * 1024

export interface TapReport {
  /** Set if the engine refused, or could not be reached. */
  readonly why?: string
  readonly isRefused?: boolean
  /** What the engine says it sent and lost; missing if the connection ended before. */
  readonly sent?: { readonly chunks: number; readonly lostChunks: number; readonly lostBytes: number }
}

/** `take` is awaited, so that a slow reader of the output makes the engine drop, not this process grow. */
export async function readTap(
  { url, token }: ApiTarget,
  path: string,
  take: (bytes: Uint8Array) => Promise<boolean>,
): Promise<TapReport> {
  const target = new URL(path, url)
  let hasBegun = false
  try {
    const response = await connect(target, token)
    if (response.statusCode !== 200) {
      return { isRefused: true, why: refusalOf(target, response.statusCode ?? 0, await readRefusal(response)) }
    }
    hasBegun = true
    for await (const bytes of response) if (!(await take(bytes as Uint8Array))) return {}
    const count = (name: string): number => Number(response.trailers[`millrace-${name}`])
    const sent = { chunks: count('chunks'), lostChunks: count('lost-chunks'), lostBytes: count('lost-bytes') }
    return Number.isNaN(sent.chunks) ? {} : { sent }
  } catch (error) {
    // The caller keeps what it received; an empty report says that the tap broke off.
    if (hasBegun) return {}
    return { why: `no engine answers at ${target.origin}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function connect(target: URL, token: string | undefined): Promise<IncomingMessage> {
  const request = target.protocol === 'https:' ? requestHttps : requestHttp
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    const sent = request(target, { headers, agent: false }, (response) => {
      sent.setTimeout(0)
      resolve(response)
    })
    sent.setTimeout(CONNECT_WITHIN_MS, () => sent.destroy(new Error('no reply in time')))
    sent.once('error', reject)
    sent.end()
  })
}

async function readRefusal(response: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const bytes of response) {
    text += String(bytes)
    if (text.length > MOST_REFUSAL_BYTES) break
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
