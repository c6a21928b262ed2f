// The body of a notification, one JSON object for each event, and the signature by which the receiver verifies its
// sender.
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
export type NotificationData = Readonly<Record<string, string | number | boolean>>

export interface Notification {
  readonly event: EventName
  readonly id: string
  /** As sent on the wire. */
  readonly body: Buffer
}

/** A notification keeps its id when it is retried. */
export function makeNotification(
  event: EventName,
  atMs: number,
  node: string | undefined,
  data: NotificationData,
): Notification {
  const id = randomUUID()
  const at = new Date(atMs).toISOString()
  return { event, id, body: Buffer.from(JSON.stringify({ event, at, node: node ?? null, data, id })) }
}

/** The value of the header X-Millrace-Signature: HMAC-SHA256 (RFC 2104) of the body. */
export function signBody(body: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}
