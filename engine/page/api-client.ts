// Requests to the control API of the engine that served this page, relative to its address: it may be behind a proxy that
// serves it under a path of its own. The session's cookie goes along by itself.

const TIMEOUT_MS = 5000
/** Many people can have the same status. */
const SHARED = 'max-age=1'

export class ApiFailure extends Error {
  readonly status: number
  /** The answer. */
  readonly json: unknown

  constructor(status: number, message: string, json?: unknown) {
    super(message)
    this.status = status
    this.json = json
  }
}

/** Rejects with ApiFailure for what the engine refuses, with another Error if it does not answer. */
export async function ask<T>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const isWriting = method !== 'GET'
  const response = await fetch(`./api/v1/${path}`, {
    method,
    headers: isWriting ? { 'content-type': 'application/json' } : { 'cache-control': SHARED },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...{ redirect: 'error', cache: 'no-store', signal: AbortSignal.timeout(timeoutMs) },
  })
  const json: unknown = await response.json()
  if (!response.ok) throw new ApiFailure(response.status, messageOf(json) ?? `status ${response.status}`, json)
  return json as T
}

/** A stream of server-sent events as text; rejects like `ask`. */
export async function openStream(
  path: string,
  lastEventId: string,
  signal: AbortSignal,
): Promise<ReadableStream<string>> {
  const headers = { 'last-event-id': lastEventId }
  const response = await fetch(`./api/v1/${path}`, { headers, redirect: 'error', cache: 'no-store', signal })
  if (response.ok && response.body !== null) return response.body.pipeThrough(new TextDecoderStream())
  const json: unknown = await response.json().catch(() => undefined)
  throw new ApiFailure(response.status, messageOf(json) ?? `status ${response.status}`, json)
}

function messageOf(json: unknown): string | undefined {
  const error = typeof json === 'object' && json !== null && 'error' in json ? json.error : undefined
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined
  return typeof message === 'string' ? message : undefined
}
