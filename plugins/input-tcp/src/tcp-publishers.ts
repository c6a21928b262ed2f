// The input that listens: takes connections from its listener and passes each on as a publisher.
import type { Clock, Listeners, NodeContext, Publisher } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import { ReadingTurns } from './reading-turns.js'
import { type KeySource, TCP_CONNECTIONS, type TcpArrival } from './tcp-listener.js'
import { TcpPublisher } from './tcp-publisher.js'

export interface TcpPublishersParts {
  readonly listener: string
  readonly key: KeySource
  readonly readTimeoutMs: () => number
  readonly context: NodeContext
  readonly clock: Clock
  readonly listeners: Pick<Listeners, 'of'>
}

/** It follows the listener when that is replaced. Connections that were accepted outlive the subscription. */
export function tcpPublishers(parts: TcpPublishersParts): Observable<Publisher> {
  const { listener, key, readTimeoutMs, context, clock, listeners } = parts
  const turns = new ReadingTurns(() => clock.nowMs())
  return new Observable((subscriber) => {
    let offer: Disposable | undefined
    const take = (arrival: TcpArrival, isLast: boolean): boolean => {
      const publisher = new TcpPublisher(arrival, { context, clock, readTimeoutMs, turns, isLast })
      subscriber.next(publisher)
      publisher.offered()
      return !publisher.isDeclined
    }
    const report = (isOther: boolean): void => {
      if (isOther) context.degraded(`another input of the listener "${listener}" takes its keys from elsewhere`)
      else context.ready()
    }
    const connections = listeners.of(TCP_CONNECTIONS, listener).value$.subscribe((open) => {
      offer?.[Symbol.dispose]()
      offer = undefined
      if (open === undefined) context.degraded(`the listener "${listener}" is not open`)
      else offer = open.offerTo({ key, take: context.guard(take) as typeof take, onOtherSource: report })
    })
    return () => {
      connections.unsubscribe()
      offer?.[Symbol.dispose]()
    }
  })
}
