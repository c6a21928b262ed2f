// Output `http-ts`: a transport stream over HTTP, byte for byte, to any number of viewers.
import {
  AUDIENCE,
  authName,
  choice,
  count,
  defineOutput,
  DELIVERY,
  duration,
  EntryBuilder,
  listenerName,
  path,
  size,
  usualWindowBytes,
} from '@millrace/engine/plugin'
import type {
  Audience,
  Inlet,
  LiveRoute,
  LiveRouteOptions,
  NodeContext,
  Options,
  Output,
} from '@millrace/engine/plugin'
import { PACKET_SIZE, SYNC_BYTE } from '@millrace/media/mpegts'
import { Subscription } from 'rxjs'
import { z } from 'zod'
import { readPreamble } from './preamble-file.js'

const options = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'must be a path that begins with /, without ?, # or spaces')
    .meta({
      description: 'Path of the stream on the listener. Requests must match it exactly, after percent-decoding.',
      reload: 'rebind',
    }),
  listener: listenerName().meta({ description: 'The listener that serves the stream.', reload: 'rebind' }),
  start: choice('keyframe', 'now', 'burst').default('keyframe').meta({
    description:
      'Where a new viewer starts: `keyframe` at the newest key frame, `now` at the next chunk, `burst` at an older key frame, to fill its buffer at once.',
    reload: 'live',
  }),
  burst: duration().prefault('2s').meta({
    description:
      'With `start: burst`: a new viewer starts at a key frame that is at least this old, or at the oldest in the window.',
    reload: 'live',
  }),
  preamble: path({ exists: 'required', is: 'file' }).optional().meta({
    description:
      'File of whole transport stream packets (at most 16 MiB) that is sent first to every new viewer, for decoders that need it.',
    reload: 'swap',
  }),
  window: z
    .strictObject({
      duration: duration({ min: 1000 }).prefault('10s').meta({
        description:
          'How far back the window reaches. All viewers share it. If the source can wait for its viewers, what one of them has yet to read stays longer, up to `size`.',
        reload: 'live',
      }),
      size: size({ min: 256 * 1024 })
        .prefault('64MiB')
        .meta({ description: 'Memory limit of the window.', reload: 'live' }),
    })
    .prefault({})
    .meta({ description: 'How much of the stream is kept for viewers that fall behind.' }),
  slow: choice('skip', 'disconnect').default('skip').meta({
    description:
      'What happens to a viewer that falls behind the window: `skip` continues at the newest key frame, `disconnect` closes its connection.',
    reload: 'live',
  }),
  stallTimeout: duration({ min: 1000 })
    .prefault('90s')
    .meta({ description: 'A viewer that reads nothing for this long is disconnected.', reload: 'live' }),
  catchUp: size({ min: 64 * 1024 })
    .prefault('256KiB')
    .meta({
      description: 'Maximum number of bytes handed at a time to the socket of a viewer that is behind.',
      reload: 'live',
    }),
  offline: z
    .strictObject({
      waitFor: duration().prefault('10s').meta({
        description: 'How long a new viewer waits for the first key frame, and in a pattern pipeline for a publisher.',
        reload: 'live',
      }),
      status: count({ min: 400, max: 599 })
        .default(503)
        .meta({ description: 'Response status if no key frame arrives in that time.', reload: 'live' }),
      endAfter: duration({ min: 1000 })
        .prefault('5m')
        .meta({ description: 'How long viewers stay connected while no data arrives.', reload: 'live' }),
      fill: choice('none', 'null').default('none').meta({
        description:
          'What viewers receive while no data arrives: `null` is a few null packets a second, for players that give up on a silent connection.',
        reload: 'live',
      }),
    })
    .prefault({})
    .meta({ description: 'What happens while there is no source.' }),
  clients: z
    .strictObject({
      max: count({ min: 0 })
        .default(0)
        .meta({ description: 'Maximum number of viewers; 0 for no limit.', reload: 'live' }),
      soft: count({ min: 0 }).default(0).meta({
        description:
          'Reaching this many viewers is reported in status, metrics and events, and has no other effect; 0 for never.',
        reload: 'live',
      }),
      perAddress: count({ min: 0 }).default(0).meta({
        description: 'Maximum number of viewers from one IPv4 address, or from one IPv6 /64 network; 0 for no limit.',
        reload: 'live',
      }),
      overLimitStatus: count({ min: 400, max: 599 }).default(503).meta({
        description: 'Response status for a viewer over a limit. Some old HbbTV sets only handle 404 well.',
        reload: 'live',
      }),
    })
    .prefault({})
    .meta({ description: 'Limits on the number of viewers.' }),
  auth: z
    .union([authName(), z.array(authName()).min(1)])
    .optional()
    .meta({
      description:
        'Access providers, declared under `auth:`. A viewer is admitted if any provider of the list admits it. By default every viewer is admitted.',
      reload: 'live',
    }),
  aliasFor: duration().prefault('24h').meta({
    description:
      'When a reload changes `path` or `listener`: the longest the old path keeps working, while viewers who used it are still connected.',
    reload: 'live',
  }),
  cors: z.string().min(1).optional().meta({
    description: 'Value of the header Access-Control-Allow-Origin. By default the header is not sent.',
    reload: 'live',
  }),
})

/** As `npm run bench` measures it: docs/performance.md. */
const USUAL_VIEWER_BYTES = 16 * 1024

export default defineOutput({
  type: 'http-ts',
  summary: 'A transport stream over HTTP to any number of viewers.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  options,
  inject: { audiences: AUDIENCE, delivery: DELIVERY },
  exclusive: ({ listener, path, offline, cors }) => [
    { kind: 'http', listener, path, offline: { waitForMs: offline.waitFor, status: offline.status, cors } },
  ],
  memoryOptions: () => ['clients.max', 'catchUp', 'window.size'],
  memoryBound: ({ window, catchUp, clients }, maxClients) =>
    window.size + Math.min(clients.max === 0 ? Infinity : clients.max, maxClients) * catchUp,
  usualMemory: ({ window }, bitsPerSecond) => ({
    sharedBytes: usualWindowBytes({ durationMs: window.duration, sizeBytes: window.size }, bitsPerSecond),
    viewerBytes: USUAL_VIEWER_BYTES,
  }),
  examples: [
    { title: 'One channel', yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts }' },
    {
      title: 'At most 500 viewers; slow ones are disconnected',
      yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts, slow: disconnect, clients: { max: 500 } }',
    },
    {
      title: 'Only signed-in users, or clients on the office network',
      yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts, auth: [viewers, office] }',
    },
    {
      title: 'Players start with two seconds in their buffer',
      yaml: 'live: { type: http-ts, from: gops, listener: web, path: /live.ts, start: burst, burst: 2s }',
    },
  ],
  open(options$, context, { audiences, delivery }, previous) {
    const openOutput = (lead: Uint8Array): Output => {
      const audience = audiences.open({ limits: options$.value.clients })
      const route = delivery.open({ ...routeOptions(context.id, options$.value, lead), audience })
      // It knows what the viewers have received, whichever inlets continue.
      const state = previous?.state
      const builder = isEntryBuilder(state) ? state : new EntryBuilder(options$.value.start === 'now')
      return new HttpTsOutput({ options$, audience, route, context, lead, builder })
    }
    const { preamble } = options$.value
    return preamble === undefined ? openOutput(NO_PREAMBLE) : readPreamble(preamble).then(openOutput)
  },
})

/** A pausable source is held while a viewer is further behind than this, or than HOLD_SHARE of the window. */
const HOLD_ABOVE_BYTES = 4 * 1024 * 1024
const NO_PREAMBLE = new Uint8Array(0)
/** Seven: what fits in one segment of a network. */
const NULL_PACKETS = nullPackets(7)
const HOLD_SHARE = 1 / 4
const LISTED = { kind: 'stream', label: 'MPEG-TS' } as const
/** What one more chunk can take of the window. */
const CHUNK_BYTES = 512 * 1024

interface HttpTsParts {
  readonly options$: Options<z.output<typeof options>>
  readonly audience: Audience
  readonly route: LiveRoute
  readonly context: NodeContext
  readonly lead: Uint8Array
  readonly builder: EntryBuilder
}

class HttpTsOutput implements Output {
  readonly #audience: Audience
  readonly #context: NodeContext
  readonly #lead: Uint8Array
  readonly #options$: Options<z.output<typeof options>>
  readonly #route: LiveRoute
  readonly #builder: EntryBuilder
  readonly #changes: Subscription
  #isPausable = false
  /** The route refused the latest options. */
  #isRefused = false
  #hold: Disposable | undefined

  constructor({ options$, audience, route, context, lead, builder }: HttpTsParts) {
    this.#context = context
    this.#lead = lead
    this.#options$ = options$
    this.#audience = audience
    this.#route = route
    this.#builder = builder
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
        // The builder may come from an output that read from another node.
        if (isFirst) this.#builder.expectCounterJumps()
        isFirst = false
        if (inlet.pausable !== this.#isPausable) {
          this.#isPausable = inlet.pausable
          this.#update()
        }
        // Set here: when options change, the builder may still belong to the previous node.
        this.#builder.joinsAnywhere = this.#options$.value.start === 'now'
        for (const entry of this.#builder.push(chunk)) route.push(entry)
        if (this.#isPausable && route.behindBytes > this.#holdAboveBytes) this.#hold ??= inlet.hold()
      },
      complete: () => route.end(),
    })
  }

  /** The next node continues with this builder, after the last chunk of this node. */
  snapshotState(): EntryBuilder {
    return this.#builder
  }

  async drained(): Promise<void> {
    this.#route.end()
    await this.#route.drained()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    this.#release()
    await this.#route[Symbol.asyncDispose]()
    await this.#audience[Symbol.asyncDispose]()
  }

  /** Low enough that the window has room for all that the slowest viewer has not read, and for the next chunk. */
  get #holdAboveBytes(): number {
    const share = this.#options$.value.window.size * HOLD_SHARE
    return Math.max(0, Math.min(HOLD_ABOVE_BYTES, share - CHUNK_BYTES * HOLD_SHARE))
  }

  #update(): void {
    const from = this.#options$.value
    const { window, ...more } = routeOptions(this.#context.id, from, this.#lead)
    try {
      this.#route.update({ ...more, audience: this.#audience, window: { ...window, keepUnread: this.#isPausable } })
      this.#audience.update({ limits: from.clients })
      if (this.#isRefused) this.#context.ready()
      this.#isRefused = false
    } catch (error) {
      // Another node owns the new path: the old options stay in force.
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

/** Checked by its members: the previous node may come from another copy of this module. */
function isEntryBuilder(state: unknown): state is EntryBuilder {
  return (
    typeof state === 'object' &&
    state !== null &&
    'joinsAnywhere' in state &&
    'push' in state &&
    'expectCounterJumps' in state &&
    typeof state.push === 'function'
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
    offline: {
      ...{ waitForMs: from.offline.waitFor, status: from.offline.status, endAfterMs: from.offline.endAfter },
      ...(from.offline.fill === 'null' ? { fill: NULL_PACKETS } : {}),
    },
    ...(from.auth === undefined ? {} : { auth: [from.auth].flat() }),
    listed: LISTED,
    cors: from.cors,
    catchUpBytes: from.catchUp,
    aliasForMs: from.aliasFor,
  }
}

/** ISO/IEC 13818-1 2.4.3.3: PID 0x1FFF, payload only; its counter means nothing. */
function nullPackets(count: number): Uint8Array {
  const bytes = new Uint8Array(count * PACKET_SIZE).fill(0xff)
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) bytes.set([SYNC_BYTE, 0x1f, 0xff, 0x10], at)
  return bytes
}
