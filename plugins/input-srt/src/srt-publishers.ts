// The input that listens: takes callers that publish from its listener, and passes each on as a publisher.
import { offerWhileOpen } from '@millrace/engine/plugin'
import type { Clock, Listeners, NodeContext, Publisher } from '@millrace/engine/plugin'
import { secretsOfStreamId } from '@millrace/srt'
import type { ConnectionTotals, SrtArrival, SrtDecision } from '@millrace/srt/node'
import { Observable } from 'rxjs'
import { SRT_CONNECTIONS } from './srt-listener.js'
import { SrtPublisher } from './srt-publisher.js'

export interface SrtPublishersParts {
  readonly listener: string
  /** The first part of names, which is not part of the key. */
  readonly app: string | undefined
  /** Overrules that of the listener. */
  readonly latencyMs: () => number | undefined
  readonly passphrase: () => string | undefined
  /** How long a publisher may send no data; undefined for no limit. */
  readonly idleMs: () => number | undefined
  readonly clock: Pick<Clock, 'nowMs' | 'every'>
  readonly context: NodeContext
  readonly listeners: Pick<Listeners, 'of'>
  readonly totals: ConnectionTotals
}

/** It follows the listener when that is replaced. */
export function srtPublishers(parts: SrtPublishersParts): Observable<Publisher> {
  const { listener, context, listeners, totals } = parts
  return new Observable((subscriber) => {
    const take = (arrival: SrtArrival, isLast: boolean): Promise<SrtDecision> | undefined => {
      const key = keyOf(arrival.resource, parts.app)
      if (key === undefined) return undefined
      const publisher = new SrtPublisher(arrival, key, {
        ...{ context, clock: parts.clock, idleMs: parts.idleMs },
        isLast,
        onConnection: (connection) => totals.add(connection),
      })
      subscriber.next(publisher)
      publisher.offered()
      return publisher.isDeclined ? undefined : withOptions(publisher.decision, parts)
    }
    const offer = offerWhileOpen(listeners.of(SRT_CONNECTIONS, listener), context, (open) =>
      open.offerTo({ mode: 'publish', take: context.guard(take) as typeof take }),
    )
    return () => offer[Symbol.dispose]()
  })
}

/** Undefined too for a name with credentials behind it: the engine logs keys, and the listener masks what it refuses. */
function keyOf(resource: string, app: string | undefined): string | undefined {
  if (secretsOfStreamId(`publish:${resource}`).length > 0) return undefined
  if (app === undefined) return resource
  return resource.startsWith(`${app}/`) ? resource.slice(app.length + 1) : undefined
}

async function withOptions(decision: Promise<SrtDecision>, parts: SrtPublishersParts): Promise<SrtDecision> {
  const decided = await decision
  if (decided.reject !== undefined) return decided
  const [latencyMs, passphrase] = [parts.latencyMs(), parts.passphrase()]
  return {
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(passphrase === undefined ? {} : { passphrase }),
    // A provider can have a passphrase for this stream.
    ...decided,
  }
}
