// HTTP for the probe: GET with bounds on time and size; redirects are followed. Nothing throws.
import type { ResponseFacts } from '@millrace/media/hls'

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD'
  /** Longer bodies are cut there. */
  readonly maxBytes: number
  readonly headers?: Readonly<Record<string, string>>
  /** Called with the first bytes of the body; true: it is not read any further. */
  isEnough?(first: Uint8Array): boolean
}

export interface HttpAnswer extends ResponseFacts {
  /** After redirects. */
  readonly url: string
  readonly bytes: Uint8Array
  /** `bytes` is only the beginning of the body. */
  readonly isCut: boolean
}

export interface HttpFailure {
  /** Why there is no answer. */
  readonly failure: string
}

export interface HttpClient {
  get(url: string, request: HttpRequest): Promise<HttpAnswer | HttpFailure>
}

const TIMEOUT_MS = 10_000
/** A body that arrives as slowly as live media is read for that long. */
const BODY_TIMEOUT_MS = 30_000

/** How Node says that the connection was closed before an answer. */
const CLOSED = /ECONNRESET|EPIPE|other side closed/

export class FetchClient implements HttpClient {
  readonly #authorization: string | undefined
  readonly #origin: string

  /** User and password of the URL are sent to its origin. */
  constructor(url: URL) {
    const { username, password, origin } = url
    const credentials = `${decoded(username)}:${decoded(password)}`
    this.#authorization = username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
    this.#origin = origin
  }

  /** A server may close a kept connection at the moment at which it is used again: asked once more (RFC 9110, 9.2.2). */
  async get(url: string, request: HttpRequest): Promise<HttpAnswer | HttpFailure> {
    const answer = await this.#ask(url, request)
    return 'failure' in answer && CLOSED.test(answer.failure) ? this.#ask(url, request) : answer
  }

  async #ask(url: string, request: HttpRequest): Promise<HttpAnswer | HttpFailure> {
    const ending = new AbortController()
    let timer = setTimeout(() => ending.abort(), TIMEOUT_MS)
    try {
      const response = await fetch(url, {
        method: request.method ?? 'GET',
        headers: { ...request.headers, ...this.#credentialsFor(url) },
        signal: ending.signal,
      })
      clearTimeout(timer)
      timer = setTimeout(() => ending.abort(), BODY_TIMEOUT_MS)
      const { bytes, isCut } = await readBody(response, request)
      ending.abort()
      return {
        ...{ url: response.url, status: response.status, bytes, isCut },
        header: (name) => response.headers.get(name) ?? undefined,
      }
    } catch (error) {
      return { failure: ending.signal.aborted ? 'no complete answer in time' : causeOf(error) }
    } finally {
      clearTimeout(timer)
    }
  }

  #credentialsFor(url: string): Readonly<Record<string, string>> {
    const isSame = this.#authorization !== undefined && new URL(url).origin === this.#origin
    return isSame && this.#authorization !== undefined ? { authorization: this.#authorization } : {}
  }
}

async function readBody(response: Response, { maxBytes, isEnough }: HttpRequest) {
  const parts: Uint8Array[] = []
  let length = 0
  let isCut = false
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    const kept = part.subarray(0, maxBytes - length)
    parts.push(kept)
    length += kept.length
    isCut = kept.length < part.length || (parts.length === 1 && isEnough?.(kept) === true)
    if (isCut) break
  }
  return { bytes: Buffer.concat(parts, length), isCut }
}

/** As it is, if it is not encoded as it should be. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** fetch hides the cause of a failed connection behind "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
