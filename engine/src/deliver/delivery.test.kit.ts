// For tests of delivery: a delivery with one listener, and a stream in which every byte identifies its entry.
import { HttpListener } from '../listen/http-listener.js'
import type { HttpListenerOptions } from '../listen/listener-options.js'
import { KeptLog, RawClient, REAL_CLOCK, until } from '../listen/loopback.test.kit.js'
import type { Clock } from '../plugin/tokens.js'
import { LiveDelivery, type LiveDeliveryOptions } from './live-delivery.js'
import { AudienceLease } from '../audience/audience-lease.js'
import { EngineAudiences, type EngineAudiencesOptions } from '../audience/engine-audiences.js'
import type { Audience, ClientLimits } from '../plugin/audience.js'
import type { LiveEntry, LiveRoute, LiveRouteOptions } from '../plugin/live-route.js'
import type { AudienceStatus } from '../observe/audience-status.js'
import type { RouteLease } from './route-lease.js'
import type { RouteStatus } from '../observe/route-status.js'

export const ENTRY_BYTES = 64 * 1024
export const NO_LIMITS: ClientLimits = { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503 }

export interface Room extends AsyncDisposable {
  readonly listener: HttpListener
  readonly delivery: LiveDelivery
  readonly audiences: EngineAudiences
  readonly kept: KeptLog
  /** Advances the clock of listener and delivery. */
  shift(byMs: number): void
  /** Resolves when delivery has swept its viewers at least twice from now on. */
  swept(): Promise<void>
  open(options?: Partial<LiveRouteOptions>): RouteLease
  /** An audience with these limits, for `open`. */
  audience(limits: Partial<ClientLimits>, id?: string): Audience
  status(): RouteStatus
  audienceStatus(id?: string): AudienceStatus
  viewer(path?: string): RawClient
}

export type RoomOptions = Partial<LiveDeliveryOptions & Pick<EngineAudiencesOptions, 'onEvent' | 'maxClients'>> & {
  /** Time passes by `shift` alone, however long the test takes. */
  readonly standsStill?: boolean
}

export async function openRoom(
  { onEvent, maxClients = 0, standsStill = false, ...options }: RoomOptions = {},
  more: Partial<HttpListenerOptions> = {},
): Promise<Room> {
  const kept = new KeptLog()
  let shiftMs = 0
  const openedAtMs = performance.now()
  let sweeps = 0
  const clock: Clock = {
    ...REAL_CLOCK,
    nowMs: () => (standsStill ? openedAtMs : performance.now()) + shiftMs,
    every: (periodMs, run) =>
      REAL_CLOCK.every(periodMs, () => {
        sweeps++
        run()
      }),
  }
  const listener = new HttpListener({ name: 'web', address: '127.0.0.1:0', clock, log: kept.log, ...more })
  await listener.bind()
  const listeners = { http: () => listener }
  const audiences = new EngineAudiences({
    clock,
    log: kept.log,
    maxClients,
    maxClientsOf: () => listener.maxClients,
    ...(onEvent === undefined ? {} : { onEvent }),
  })
  const delivery = new LiveDelivery({ listeners, audiences, clock, log: kept.log, sweepMs: 5, ...options })
  const clients: RawClient[] = []
  const leases: AudienceLease[] = []
  return {
    listener,
    delivery,
    audiences,
    kept,
    shift: (byMs) => {
      shiftMs += byMs
    },
    swept: async () => {
      const from = sweeps
      await until(() => sweeps >= from + 3, 'delivery has swept its viewers')
    },
    open: (more) => {
      const lease = delivery.lease(routeOptions(more))
      lease.open()
      return lease
    },
    audience: (limits, id = 'one/ts') => {
      const all = { limits: { ...NO_LIMITS, ...limits } }
      const lease = new AudienceLease(all, { audiences, owner: () => id, enter: (run) => run() })
      lease.open()
      leases.push(lease)
      return lease
    },
    audienceStatus: (id = 'one/ts') => {
      const audience = audiences.of(id)
      if (audience === undefined) throw new Error('no audience')
      return audience
    },
    status: () => {
      const [status] = delivery.routes()
      if (status === undefined) throw new Error('no route')
      return status
    },
    viewer: (path = '/live.ts') => {
      const client = new RawClient(listener.address).get(path)
      clients.push(client)
      return client
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close()
      await delivery[Symbol.asyncDispose]()
      await Promise.all(leases.map((lease) => lease.close()))
      await listener.close(0)
    },
  }
}

export function routeOptions(more: Partial<LiveRouteOptions> = {}): LiveRouteOptions {
  return {
    id: 'one/ts',
    listener: 'web',
    path: '/live.ts',
    contentType: 'video/mp2t',
    start: 'keyframe',
    window: { durationMs: 60_000, sizeBytes: 64 * 1024 * 1024 },
    slow: 'skip',
    stallTimeoutMs: 60_000,
    offline: { waitForMs: 60_000, status: 503, endAfterMs: 60_000 },
    burstMs: 2000,
    lead: new Uint8Array(0),
    cors: undefined,
    catchUpBytes: 256 * 1024,
    ...more,
  }
}

/** Entries of one size, each filled with its number; every `gop`th is a key frame, the one after it only a join. */
export class Feed {
  readonly entryBytes: number
  readonly #gop: number
  readonly #route: LiveRoute
  #seq = 0

  constructor(route: LiveRoute, entryBytes = ENTRY_BYTES, gop = 10) {
    this.#route = route
    this.entryBytes = entryBytes
    this.#gop = gop
  }

  get pushed(): number {
    return this.#seq
  }

  /** Pushes `entries` at once, received now or at this time. */
  push(entries = 1, receivedAtMs = performance.now()): void {
    for (let count = 0; count < entries; count++) this.#route.push({ ...this.#make(this.#seq++), receivedAtMs })
  }

  /** Pushes `entries`, a few in each turn of the event loop. */
  async run(entries: number, perTurn = 4): Promise<void> {
    for (let left = entries; left > 0; left -= perTurn) {
      this.push(Math.min(left, perTurn))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** The bytes that a viewer starting at this entry receives, up to the newest entry. */
  bytesFrom(seq: number, lead = preambleOf(seq), until = this.#seq): Buffer {
    const parts = [lead]
    for (let at = seq; at < until; at++) parts.push(Buffer.from(fill(at, this.entryBytes)))
    return Buffer.concat(parts)
  }

  #make(seq: number): LiveEntry {
    const entry = { bytes: fill(seq, this.entryBytes), receivedAtMs: performance.now() }
    const place = seq % this.#gop
    if (place > 1) return entry
    const made = { preamble: () => preambleOf(seq), bridge: () => bridgeOf(seq) }
    return { ...entry, join: { keyframe: place === 0, heldBytes: 0, ...made } }
  }
}

export function preambleOf(seq: number): Buffer {
  return Buffer.from(`<preamble ${seq}>`)
}

export function bridgeOf(seq: number): Buffer {
  return Buffer.from(`<bridge ${seq}>`)
}

function fill(seq: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  new Uint32Array(bytes.buffer, 0, size >> 2).fill(seq)
  return bytes
}
