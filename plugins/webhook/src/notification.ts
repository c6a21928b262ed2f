// The body of a notification, one JSON object for each event.
import { randomUUID } from 'node:crypto'

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
