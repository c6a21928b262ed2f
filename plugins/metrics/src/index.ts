// Service `prometheus`: the metrics of the engine and its nodes on a path of an HTTP listener.
import { CLOCK, defineService, listenerName, LISTENERS, METRICS } from '@millrace/engine/plugin'
import { z } from 'zod'
import { ScrapeHandler } from './scrape-handler.js'

const options = z.strictObject({
  listener: listenerName()
    .prefault('api')
    .meta({ description: 'The listener that serves the metrics.', reload: 'rebind' }),
  path: z
    .string()
    .regex(/^\/|\$\{/, 'must start with /')
    .prefault('/metrics')
    .meta({ description: 'The path that Prometheus scrapes.', reload: 'rebind' }),
})

type Place = z.output<typeof options>

export default defineService({
  type: 'prometheus',
  summary: 'Serves the metrics of the engine and its nodes to Prometheus.',
  options,
  inject: { metrics: METRICS, listeners: LISTENERS, clock: CLOCK },
  exclusive: ({ listener, path }) => [{ kind: 'http', listener, path }],
  examples: [
    {
      title: 'On the listener of the control API',
      yaml: 'metrics: { type: prometheus, listener: api, path: /metrics }',
    },
  ],
  open(options$, context, { metrics, listeners, clock }) {
    const scrapes = new ScrapeHandler(metrics, clock, context.log)
    const claim = ({ listener, path }: Place): Disposable =>
      listeners.http(listener).mount({ path }, (request, response) => scrapes.respond(request, response))
    let place = options$.value
    let claimed = claim(place)
    const changes = options$.subscribe((next) => {
      if (next.listener === place.listener && next.path === place.path) return
      try {
        const before = claimed
        claimed = claim(next)
        place = next
        before[Symbol.dispose]()
        context.ready()
      } catch (error) {
        // Another node owns that path: the old one stays in use.
        context.degraded(error instanceof Error ? error.message : String(error))
      }
    })
    return {
      async [Symbol.asyncDispose]() {
        changes.unsubscribe()
        claimed[Symbol.dispose]()
      },
    }
  },
})
