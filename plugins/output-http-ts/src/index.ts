// Output `http-ts`: a transport stream over HTTP, byte for byte, to any number of viewers.
import { choice, count, defineOutput, DELIVERY, duration, listenerName, size } from '@millrace/engine/plugin'
import type { Inlet, LiveRoute, LiveRouteOptions, Options, Sink } from '@millrace/engine/plugin'
import { Subscription } from 'rxjs'
import { z } from 'zod'
import { TsFeed } from './ts-feed.js'

const options = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'is a path that begins with /, without ? and #')
    .meta({ description: 'Where viewers find it, exactly, after percent-decoding.', reload: 'rebind' }),
  listener: listenerName().meta({ description: 'The listener that serves it.', reload: 'rebind' }),
  start: choice('keyframe', 'now').default('keyframe').meta({
    description: 'New viewers start at the newest key frame at once, or with whatever comes next.',
    reload: 'live',
  }),
  window: z
    .strictObject({
      duration: duration({ min: 1000 })
        .prefault('10s')
        .meta({ description: 'How far back the window that all viewers share reaches.', reload: 'live' }),
      size: size({ min: 256 * 1024 })
        .prefault('64MiB')
        .meta({ description: 'How much memory it takes at most.', reload: 'live' }),
    })
    .prefault({})
    .meta({ description: 'What is kept for viewers that fall behind.' }),
  slow: choice('skip', 'disconnect').default('skip').meta({
    description: 'A viewer that the window has passed by goes on at the newest key frame, or is closed.',
    reload: 'live',
  }),
  stallTimeout: duration({ min: 1000 })
    .prefault('90s')
    .meta({ description: 'A viewer that takes not one byte for this long is closed.', reload: 'live' }),
  catchUp: size({ min: 64 * 1024 })
    .prefault('256KiB')
    .meta({ description: 'Most that is handed at a time to the socket of a viewer that is behind.', reload: 'live' }),
  offline: z
    .strictObject({
      waitFor: duration()
        .prefault('10s')
        .meta({ description: 'How long a new viewer waits for a first key frame.', reload: 'live' }),
      status: count({ min: 400, max: 599 })
        .default(503)
        .meta({ description: 'What it is answered when none came.', reload: 'live' }),
      endAfter: duration({ min: 1000 })
        .prefault('5m')
        .meta({ description: 'How long viewers stay while nothing comes.', reload: 'live' }),
    })
    .prefault({})
    .meta({ description: 'What happens while there is no source.' }),
  clients: z
    .strictObject({
      max: count({ min: 0 }).default(0).meta({ description: 'Viewers at most; 0 for no limit.', reload: 'live' }),
    })
    .prefault({})
    .meta({ description: 'How many viewers are let in.' }),
  cors: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Value of Access-Control-Allow-Origin; without it the header is not sent.', reload: 'live' }),
})

export default defineOutput({
  type: 'http-ts',
  summary: 'A transport stream over HTTP to any number of viewers.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  options,
  inject: { delivery: DELIVERY },
  exclusive: ({ listener, path }) => [`http:${listener}${path}`],
  examples: [
    { title: 'One channel', yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts }' },
    {
      title: 'At most 500 viewers, and who is too slow is closed',
      yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts, slow: disconnect, clients: { max: 500 } }',
    },
  ],
  open(options$, context, { delivery }) {
    return new HttpTsSink(options$, delivery.open(routeOptions(context.id, options$.value)), context.id)
  },
})

/** A source that can wait is held while a viewer is further behind than this. */
const HOLD_ABOVE_BYTES = 4 * 1024 * 1024

class HttpTsSink implements Sink {
  readonly #route: LiveRoute
  readonly #feed: TsFeed
  readonly #changes: Subscription
  #hold: Disposable | undefined

  constructor(options$: Options<z.output<typeof options>>, route: LiveRoute, id: string) {
    this.#route = route
    this.#feed = new TsFeed(options$.value.start === 'now')
    this.#changes = options$.subscribe((changed) => route.update(routeOptions(id, changed)))
  }

  accept([inlet]: readonly Inlet[]): Subscription {
    if (inlet === undefined) return Subscription.EMPTY
    const route = this.#route
    route.onCaughtUp = () => {
      if (route.behindBytes <= HOLD_ABOVE_BYTES / 2) this.#release()
    }
    return inlet.chunks.subscribe({
      next: (chunk) => {
        for (const entry of this.#feed.push(chunk)) route.push(entry)
        if (inlet.pausable && route.behindBytes > HOLD_ABOVE_BYTES) this.#hold ??= inlet.hold()
      },
      complete: () => route.end(),
    })
  }

  async drained(): Promise<void> {
    this.#route.end()
    await this.#route.drained()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    this.#release()
    await this.#route[Symbol.asyncDispose]()
  }

  #release(): void {
    const hold = this.#hold
    this.#hold = undefined
    hold?.[Symbol.dispose]()
  }
}

function routeOptions(id: string, from: z.output<typeof options>): LiveRouteOptions {
  return {
    id,
    listener: from.listener,
    path: from.path,
    contentType: 'video/mp2t',
    start: from.start,
    window: { durationMs: from.window.duration, sizeBytes: from.window.size },
    slow: from.slow,
    stallTimeoutMs: from.stallTimeout,
    offline: { waitForMs: from.offline.waitFor, status: from.offline.status, endAfterMs: from.offline.endAfter },
    maxClients: from.clients.max,
    cors: from.cors,
    catchUpBytes: from.catchUp,
  }
}
