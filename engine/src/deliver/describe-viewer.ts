// A viewer as the control API shows it.
import type { ClientStatus } from '../observe/status.js'
import { printable } from '../observe/printable.js'
import type { Clock } from '../plugin/tokens.js'
import type { Viewer, ViewerState } from './viewer.js'

/** States that only delivery distinguishes are merged. */
const SHOWN: Readonly<Record<ViewerState, ClientStatus['state']>> = {
  waiting: 'waiting',
  queued: 'waiting',
  leading: 'reading',
  reading: 'reading',
  seeking: 'seeking',
  ending: 'ending',
}

export function describeViewer(viewer: Viewer, node: string, clock: Pick<Clock, 'wallMs'>): ClientStatus {
  const { visitor, state, handedBytes, skips, skippedBytes, arrivedMs } = viewer
  const { id, client, user, userAgent } = visitor
  return {
    id,
    node,
    client,
    ...(user === undefined ? {} : { user }),
    ...(userAgent === '' ? {} : { userAgent: printable(userAgent) }),
    since: new Date(clock.wallMs(arrivedMs)).toISOString(),
    state: SHOWN[state],
    bytes: handedBytes,
    behindBytes: SHOWN[state] === 'waiting' ? 0 : viewer.behindBytes,
    skips,
    skippedBytes,
  }
}
