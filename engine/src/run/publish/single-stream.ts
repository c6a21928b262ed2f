// An input whose `streams` is one name: it listens, and is fed by whoever publishes under that key.
import type { Logger } from 'pino'
import { Observable, Subscription } from 'rxjs'
import type { NodeSettings, PublishSettings } from '../../graph/graph.js'
import type { PublisherStatuses } from '../../observe/publisher-status.js'
import type { Auth } from '../../plugin/auth.js'
import type { InputDefinition } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import { Admission, takeoverRefusal } from './admission.js'
import { type OpensInput, publishersOf } from './listening-source.js'
import { RefusalReport } from './refusal-report.js'
import { StreamSlot } from './stream-slot.js'

export interface SingleStreamParts {
  readonly clock: Clock
  readonly log: Logger
  readonly auth: Pick<Auth, 'check'>
  readonly publishers: PublisherStatuses
  /** The node with this ID as the newest graph has it. */
  settings(id: string): NodeSettings & { readonly publish: PublishSettings }
}

export function singleStream(definition: InputDefinition, parts: SingleStreamParts): OpensInput {
  const { clock, log, auth, publishers } = parts
  return (options$, context, deps) => {
    const refusals = new RefusalReport(clock, (fields) =>
      log.warn({ node: context.id, ...fields }, 'refused a publisher'),
    )
    const slot = new StreamSlot(clock)
    const admission = new Admission({
      clock,
      auth,
      refusals,
      settings: () => parts.settings(context.id).publish,
      refusalOf: (publisher) => takeoverRefusal(slot, parts.settings(context.id).publish, publisher),
      take: (_, stream) => slot.put(stream),
    })
    const shown = publishers.add({
      get id() {
        return context.id
      },
      get streams() {
        return Number(slot.isTaken)
      },
      refused: refusals.counts,
    })
    context.details(() => ({
      ...{ admitting: admission.waiting, refused: Object.fromEntries(refusals.counts) },
      publisher: slot.who ?? null,
    }))
    const subscribe = publishersOf(definition, [options$, context, deps], {
      admit: (publisher) => admission.admit(publisher),
      report: () => {
        slot.isReady = true
        slot.report()
      },
    })
    const { chunks } = slot.open(context)
    return {
      chunks: new Observable((subscriber) => {
        slot.isReady = false
        const both = new Subscription()
        both.add(chunks.subscribe(subscriber))
        both.add(subscribe(subscriber))
        return both
      }),
      pause: () => slot.pause(),
      [Symbol.asyncDispose]: () => {
        admission.close()
        shown[Symbol.dispose]()
        refusals[Symbol.dispose]()
        slot.end('closing', 'the input has been closed')
        return Promise.resolve()
      },
    }
  }
}
