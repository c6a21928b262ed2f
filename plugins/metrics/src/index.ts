// Service `prometheus`: the metrics of the engine and its nodes on a path of an HTTP listener.
import {
  authName,
  choice,
  CLOCK,
  defineService,
  listenerName,
  LISTENERS,
  METRICS,
  providersOf,
} from '@millrace/engine/plugin'
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
  auth: z
    .union([authName(), z.array(authName()).min(1)])
    .optional()
    .meta({
      description:
        'Access providers, declared under `auth:`: a scrape needs what any of them admits, such as a `bearer` token or an address of `ip`. By default every scrape is answered.',
      reload: 'live',
    }),
  aliases: z.array(choice('streamsync')).default([]).meta({
    description:
      'Names of another program in addition: `streamsync` has those of its `srt_connection_...` metrics for SRT listeners.',
    reload: 'live',
  }),
})

type Place = Pick<z.output<typeof options>, 'listener' | 'path'>

export default defineService({
  type: 'prometheus',
  summary: 'Serves the metrics of the engine and its nodes to Prometheus.',
  options,
  inject: { metrics: METRICS, listeners: LISTENERS, clock: CLOCK },
  exclusive: ({ listener, path }) => [{ kind: 'http', listener, path }],
  warnings: ({ listener, auth }, around) => {
    if (auth !== undefined || around.listener(listener)?.isLoopback !== false) return []
    return [`everybody who reaches the listener "${listener}" can read the metrics: add "auth"`]
  },
  examples: [
    {
      title: 'On the listener of the control API',
      yaml: 'metrics: { type: prometheus, listener: api, path: /metrics }',
    },
    {
      title: 'For a Prometheus on another machine: a listener of its own, and a token',
      yaml: 'metrics: { type: prometheus, listener: metrics, auth: scrapers }',
    },
  ],
  open(options$, context, { metrics, listeners, clock }) {
    const scrapes = new ScrapeHandler(metrics, clock, context.log, () => options$.value.aliases)
    const claim = ({ listener, path }: Place): Disposable =>
      listeners.http(listener).mount(
        {
          path,
          get auth() {
            return providersOf(options$.value.auth)
          },
        },
        (request, response) => scrapes.respond(request, response),
      )
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
