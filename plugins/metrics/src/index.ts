// service `prometheus`: the metrics of the engine and its nodes on a path of an HTTP listener.
import { CLOCK, defineService, listenerName, LISTENERS, METRICS } from '@millrace/engine/plugin'
import { z } from 'zod'
import { ScrapeHandler } from './scrape-handler.js'

const options = z.strictObject({
  listener: listenerName().prefault('api').meta({ description: 'The listener that answers scrapes.' }),
  path: z
    .string()
    .regex(/^\/|\$\{/, 'must start with /')
    .prefault('/metrics')
    .meta({ description: 'The path that Prometheus scrapes.' }),
})

export default defineService({
  type: 'prometheus',
  summary: 'Serves the metrics of the engine and its nodes to Prometheus.',
  options,
  inject: { metrics: METRICS, listeners: LISTENERS, clock: CLOCK },
  exclusive: ({ listener, path }) => [`http:${listener}${path}`],
  examples: [
    {
      title: 'On the listener of the control API',
      yaml: 'metrics: { type: prometheus, listener: api, path: /metrics }',
    },
  ],
  open(options$, context, { metrics, listeners, clock }) {
    const { listener, path } = options$.value
    const scrapes = new ScrapeHandler(metrics, clock, context.log)
    const route = listeners.http(listener).handle(path, (request, response) => scrapes.respond(request, response))
    return {
      async [Symbol.asyncDispose]() {
        route[Symbol.dispose]()
      },
    }
  },
})
