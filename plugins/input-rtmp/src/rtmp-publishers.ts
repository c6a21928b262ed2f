// The input that listens: takes clients that publish from its listener, and passes each on as a publisher.
import { offerWhileOpen } from '@millrace/engine/plugin'
import type { Listeners, Publisher } from '@millrace/engine/plugin'
import { keyInApp } from '@millrace/rtmp'
import type { RtmpPublisherOffer } from '@millrace/rtmp/node'
import { Observable } from 'rxjs'
import { RTMP_CONNECTIONS } from './rtmp-listener.js'
import { RtmpPublisher } from './rtmp-publisher.js'
import type { RtmpPublisherParts } from './rtmp-publisher.js'

export interface RtmpPublishersParts extends Omit<RtmpPublisherParts, 'isLast'> {
  readonly listener: string
  /** The first part of the path, which is not part of the key. */
  readonly app: string
  readonly listeners: Pick<Listeners, 'of'>
}

/** It follows the listener when that is replaced. Connections that were accepted outlive the subscription. */
export function rtmpPublishers(parts: RtmpPublishersParts): Observable<Publisher> {
  const { listener, app, context, listeners } = parts
  return new Observable((subscriber) => {
    const take = (offered: RtmpPublisherOffer, isLast: boolean): boolean => {
      const key = keyInApp(offered.path, app)
      if (key === undefined) return false
      if (key === '') {
        offered.refuse('bad-key', 'the stream key is missing')
        return true
      }
      const publisher = new RtmpPublisher(offered, key, { ...parts, isLast })
      subscriber.next(publisher)
      publisher.offered()
      return isLast || !publisher.isDeclined
    }
    const offer = offerWhileOpen(listeners.of(RTMP_CONNECTIONS, listener), context, (open) =>
      open.offerTo({ mode: 'publish', take: context.guard(take) as typeof take }),
    )
    return () => offer[Symbol.dispose]()
  })
}
