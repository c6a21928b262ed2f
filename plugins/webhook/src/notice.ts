// What is sent: one JSON object for each event, and a signature with which the receiver knows whose it is.
import { createHmac, randomUUID } from 'node:crypto'

export const EVENT_NAMES = [
  'limit_hit',
  'limit_miss',
  'source_up',
  'source_down',
  'heartbeat',
  'client_connect',
  'client_disconnect',
] as const

export type EventName = (typeof EVENT_NAMES)[number]
export type NoticeData = Readonly<Record<string, string | number | boolean>>

export interface Notice {
  readonly event: EventName
  readonly id: string
  /** As it goes over the wire. */
  readonly body: Buffer
}

/** The same notice keeps its id when it is sent again. */
export function makeNotice(event: EventName, atMs: number, node: string | undefined, data: NoticeData): Notice {
  const id = randomUUID()
  const at = new Date(atMs).toISOString()
  return { event, id, body: Buffer.from(JSON.stringify({ event, at, node: node ?? null, data, id })) }
}

/** The value of the header X-Millrace-Signature: HMAC-SHA256 (RFC 2104) of the body. */
export function signBody(body: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}
