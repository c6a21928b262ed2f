// What a splice message says: the out and the in of breaks, other signals, and what is cancelled.
import { mod33 } from '@millrace/media/mpegts'
import type { Segmentation } from '@millrace/media/scte35'
import type { HeardSplice } from '../segment/splice-listener.js'

export interface Signal {
  readonly kind: 'out' | 'in' | 'cmd'
  /** Tells it from others at the same time. */
  readonly event: string
  readonly at90k: number
  readonly duration90k: number | undefined
  readonly isAutoReturn: boolean
  /** Base64. */
  readonly section: string
}

/** The event of messages that name none. */
export const NO_EVENT = 'time'
/** segmentation_type_id of placement opportunities, ANSI/SCTE 35 table 23: each is followed by that of its end. */
const OUT_TYPES = [0x34, 0x36, 0x38, 0x3a]

/** `latest90k`: the newest time of the stream, which is that of messages without one. */
export function signalsOf({ info, section: bytes }: HeardSplice, latest90k: number): readonly Signal[] {
  const { command, insert, segmentations } = info
  const at = {
    at90k: mod33(info.pts90k ?? latest90k),
    isAutoReturn: false,
    section: Buffer.from(bytes).toString('base64'),
  }
  if (command === 'insert' && insert !== undefined) {
    if (insert.isCancelled) return []
    const { isOut, break90k: duration90k, isAutoReturn } = insert
    return [{ ...at, kind: isOut ? 'out' : 'in', event: hex32(insert.eventId), duration90k, isAutoReturn }]
  }
  if (command !== 'time') return []
  // Without descriptors it is known by nothing but its time.
  if (segmentations.length === 0) return [{ ...at, kind: 'cmd', event: NO_EVENT, duration90k: undefined }]
  const meant = segmentations.filter(({ isCancelled }) => !isCancelled)
  return meant.map((each) => ({ ...at, ...kindOf(each), duration90k: each.duration90k }))
}

/** Events that will not come. */
export function cancelledBy({ info: { insert, segmentations } }: HeardSplice): readonly string[] {
  const all = [...(insert === undefined ? [] : [insert]), ...segmentations]
  return all.filter(({ isCancelled }) => isCancelled).map(({ eventId }) => hex32(eventId))
}

/** `event`: of a signal. */
export function isOfEvent(event: string, cancelled: string): boolean {
  return event === cancelled || event.startsWith(`${cancelled}-`)
}

function kindOf({ eventId, type }: Segmentation): Pick<Signal, 'kind' | 'event'> {
  if (OUT_TYPES.includes(type)) return { kind: 'out', event: hex32(eventId) }
  if (OUT_TYPES.includes(type - 1)) return { kind: 'in', event: hex32(eventId) }
  return { kind: 'cmd', event: `${hex32(eventId)}-${type.toString(16)}` }
}

function hex32(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}
