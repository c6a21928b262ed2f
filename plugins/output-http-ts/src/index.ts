// Output `http-ts`: a transport stream over HTTP, byte for byte, to any number of viewers.
import {
  authName,
  choice,
  count,
  defineOutput,
  DELIVERY,
  duration,
  listenerName,
  path,
  size,
} from '@millrace/engine/plugin'
import type { Inlet, LiveRoute, LiveRouteOptions, NodeContext, Options, Output } from '@millrace/engine/plugin'
import { Subscription } from 'rxjs'
import { z } from 'zod'
import { readPreamble } from './preamble-file.js'
import { TsFeed } from './ts-feed.js'

const options = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'is a path that begins with /, without ? and #')
    .meta({ description: 'Where viewers find it, exactly, after percent-decoding.', reload: 'rebind' }),
  listener: listenerName().meta({ description: 'The listener that serves it.', reload: 'rebind' }),
  start: choice('keyframe', 'now', 'burst').default('keyframe').meta({
    description:
      'New viewers start at the newest key frame at once, with whatever comes next, or at an older key frame, to have a buffer at once.',
    reload: 'live',
  }),
  burst: duration().prefault('2s').meta({
    description:
      'With `start: burst`: how much of the window a new viewer gets at once, from a key frame that is at least so old, or from the oldest.',
    reload: 'live',
  }),
  preamble: path().optional().meta({
    description:
      'A file of whole transport stream packets (at most 16 MiB) that every new viewer gets first, for decoders that need it.',
    reload: 'swap',
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
      soft: count({ min: 0 }).default(0).meta({
        description: 'Reaching so many is told in status, metrics and events, and changes nothing else; 0 for never.',
        reload: 'live',
      }),
      perAddress: count({ min: 0 }).default(0).meta({
        description: 'Viewers at most from one IPv4 address, or one /64 network of IPv6; 0 for no limit.',
        reload: 'live',
      }),
      overLimitStatus: count({ min: 400, max: 599 }).default(503).meta({
        description: 'What a viewer beyond a limit is answered; some old HbbTV sets take only 404 well.',
        reload: 'live',
      }),
    })
    .prefault({})
    .meta({ description: 'How many viewers are let in.' }),
  auth: z
    .union([authName(), z.array(authName()).min(1)])
    .optional()
    .meta({
      description:
        'Providers of access, declared under `auth:`; any of a list lets a viewer in. By default everybody comes in.',
      reload: 'live',
    }),
  aliasFor: duration().prefault('24h').meta({
    description:
      'When a reload changes `path` or `listener`: how long the old one still leads here at most, for viewers that came by it.',
    reload: 'live',
  }),
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
  memoryBound: ({ window, catchUp, clients }, maxClients) =>
    window.size + Math.min(clients.max === 0 ? Infinity : clients.max, maxClients) * catchUp,
  examples: [
    { title: 'One channel', yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts }' },
    {
      title: 'At most 500 viewers, and who is too slow is closed',
      yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts, slow: disconnect, clients: { max: 500 } }',
    },
    {
      title: 'For who signs in, or comes from the office',
      yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts, auth: [viewers, office] }',
    },
    {
      title: 'Players have two seconds in their buffer at once',
      yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts, start: burst, burst: 2s }',
    },
  ],
  open(options$, context, { delivery }, previous) {
    const outputWith = (lead: Uint8Array): Output => {
      const route = delivery.open(routeOptions(context.id, options$.value, lead))
      const feed = isFeed(previous) ? previous : new TsFeed(options$.value.start === 'now')
      return new HttpTsOutput(options$, route, context, lead, feed)
    }
    const { preamble } = options$.value
    return preamble === undefined ? outputWith(NO_LEAD) : readPreamble(preamble).then(outputWith)
  },
})

/** A source that can wait is held while a viewer is further behind than this, or than a part of the window. */
const HOLD_ABOVE_BYTES = 4 * 1024 * 1024
const NO_LEAD = new Uint8Array(0)
const HOLD_SHARE = 1 / 4
/** What one chunk more takes of the window. */
const CHUNK_BYTES = 512 * 1024

class HttpTsOutput implements Output {
  readonly #context: NodeContext
  readonly #lead: Uint8Array
  readonly #options$: Options<z.output<typeof options>>
  readonly #route: LiveRoute
  readonly #feed: TsFeed
  readonly #changes: Subscription
  #isPausable = false
  /** Its options could not be taken. */
  #isRefused = false
  #hold: Disposable | undefined

  constructor(
    options$: Options<z.output<typeof options>>,
    route: LiveRoute,
    context: NodeContext,
    lead: Uint8Array,
    feed: TsFeed,
  ) {
    this.#context = context
    this.#lead = lead
    this.#options$ = options$
    this.#route = route
    this.#feed = feed
    this.#changes = options$.subscribe(() => this.#update())
  }

  accept([inlet]: readonly Inlet[]): Subscription {
    if (inlet === undefined) return Subscription.EMPTY
    const route = this.#route
    route.onCaughtUp = () => {
      if (route.behindBytes <= this.#holdAboveBytes / 2) this.#release()
    }
    let isFirst = true
    return inlet.chunks.subscribe({
      next: (chunk) => {
        // The feed may be that of an output that read from elsewhere.
        if (isFirst) this.#feed.comesAnotherWay()
        isFirst = false
        if (inlet.pausable !== this.#isPausable) {
          this.#isPausable = inlet.pausable
          this.#update()
        }
        // Here, since the feed may still be another's when options change.
        this.#feed.joinsAnywhere = this.#options$.value.start === 'now'
        for (const entry of this.#feed.push(chunk)) route.push(entry)
        if (this.#isPausable && route.behindBytes > this.#holdAboveBytes) this.#hold ??= inlet.hold()
      },
      complete: () => route.end(),
    })
  }

  /** What the next node goes on with, behind the last chunk of this one. */
  snapshotState(): TsFeed {
    return this.#feed
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

  /** The window holds what the slowest viewer has not read, and the next chunk, before it drops anything. */
  get #holdAboveBytes(): number {
    const share = this.#options$.value.window.size * HOLD_SHARE
    return Math.max(0, Math.min(HOLD_ABOVE_BYTES, share - CHUNK_BYTES * HOLD_SHARE))
  }

  #update(): void {
    const from = this.#options$.value
    const { window, ...more } = routeOptions(this.#context.id, from, this.#lead)
    // A source that waits for its viewers lets time pass between two chunks: the window must not drop for that.
    const durationMs = this.#isPausable ? Infinity : window.durationMs
    try {
      this.#route.update({ ...more, window: { ...window, durationMs } })
      if (this.#isRefused) this.#context.ready()
      this.#isRefused = false
    } catch (error) {
      // Of a path that another node has: what was goes on.
      this.#isRefused = true
      this.#context.degraded(error instanceof Error ? error.message : String(error))
    }
  }

  #release(): void {
    const hold = this.#hold
    this.#hold = undefined
    hold?.[Symbol.dispose]()
  }
}

/** Known by what it does: the node before may come from another copy of this module. */
function isFeed(previous: unknown): previous is TsFeed {
  return (
    typeof previous === 'object' &&
    previous !== null &&
    'joinsAnywhere' in previous &&
    'push' in previous &&
    'comesAnotherWay' in previous &&
    typeof previous.push === 'function'
  )
}

function routeOptions(id: string, from: z.output<typeof options>, lead: Uint8Array): LiveRouteOptions {
  return {
    id,
    listener: from.listener,
    path: from.path,
    contentType: 'video/mp2t',
    start: from.start,
    burstMs: from.burst,
    lead,
    window: { durationMs: from.window.duration, sizeBytes: from.window.size },
    slow: from.slow,
    stallTimeoutMs: from.stallTimeout,
    offline: { waitForMs: from.offline.waitFor, status: from.offline.status, endAfterMs: from.offline.endAfter },
    clients: from.clients,
    ...(from.auth === undefined ? {} : { auth: [from.auth].flat() }),
    cors: from.cors,
    catchUpBytes: from.catchUp,
    aliasForMs: from.aliasFor,
  }
}
