// Two endpoints over a network in simulated time: loss, delay, jitter, reordering, duplication and outages come from a
// seed, so that each run is the same.
import assert from 'node:assert/strict'
import type { Connection, EndReason } from './connection.js'
import type { ConnectionOptions } from './connection-options.js'
import { deriveKekSync } from './crypto/key-material.js'
import type { KeyLength } from './crypto/key-material.js'
import { makeSalt } from './crypto/session-keys.js'
import { Endpoint } from './endpoint.js'
import type { ConnectionRequest } from './endpoint.js'
import type { PeerAddress } from './handshake/cookie.js'

export interface PathOptions {
  readonly delayUs?: number
  readonly jitterUs?: number
  /** Share of the datagrams, 0 to 1. */
  readonly loss?: number
  readonly duplicates?: number
  /** Share of the datagrams that are late by `reorderUs`. */
  readonly reordered?: number
  readonly reorderUs?: number
  /** Nothing passes from ... to, in microseconds of the simulation. */
  readonly outage?: readonly [number, number]
  /** Loses what it returns true for. */
  lose?(datagram: Uint8Array): boolean
}

interface Event {
  readonly atUs: number
  readonly order: number
  readonly run: () => void
}

export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The time of one endpoint. */
class Clock {
  readonly #rate: number
  offsetUs = 0

  constructor(ppm: number) {
    this.#rate = 1 + ppm / 1e6
  }

  at(us: number): number {
    return us * this.#rate + this.offsetUs
  }

  /** When it shows that time. */
  when(us: number): number {
    return (us - this.offsetUs) / this.#rate
  }
}

class Simulation {
  nowUs = 1_000_000
  /** What each endpoint has sent. */
  readonly datagrams: { from: string; datagram: Uint8Array; atUs: number }[] = []
  isRecording = false
  readonly #random: () => number
  readonly #events: Event[] = []
  readonly #endpoints = new Map<string, { endpoint: Endpoint; clock: Clock }>()
  readonly #paths = new Map<string, PathOptions>()
  #order = 0

  constructor(seed = 1) {
    this.#random = seeded(seed)
  }

  /** @param ppm how much faster its clock runs */
  add(address: string, host: { request?(request: ConnectionRequest): void } = {}, ppm = 0): Endpoint {
    const endpoint = new Endpoint({
      transmit: (datagram, peer) => this.#send(address, peer, datagram),
      ...host,
    })
    this.#endpoints.set(address, { endpoint, clock: new Clock(ppm) })
    return endpoint
  }

  /** Sets what happens to datagrams from `address`. */
  path(address: string, options: PathOptions): void {
    this.#paths.set(address, options)
  }

  timeAt(address: string): number {
    return this.#endpoints.get(address)!.clock.at(this.nowUs)
  }

  /** From now on its clock is that much ahead of what it was. */
  jump(address: string, us: number): void {
    this.#endpoints.get(address)!.clock.offsetUs += us
  }

  at(us: number, run: () => void): void {
    const event = { atUs: us, order: this.#order++, run }
    const events = this.#events
    let child = events.push(event) - 1
    while (child > 0) {
      const parent = (child - 1) >>> 1
      if (!isBefore(event, events[parent]!)) break
      events[child] = events[parent]!
      child = parent
    }
    events[child] = event
  }

  every(intervalUs: number, untilUs: number, run: () => void): void {
    const step = (): void => {
      run()
      if (this.nowUs + intervalUs < untilUs) this.at(this.nowUs + intervalUs, step)
    }
    this.at(this.nowUs + intervalUs, step)
  }

  /** Runs until that time. */
  run(untilUs: number): void {
    for (;;) {
      let nextUs = this.#events[0]?.atUs ?? Infinity
      for (const { endpoint, clock } of this.#endpoints.values())
        nextUs = Math.min(nextUs, Math.max(this.nowUs, clock.when(endpoint.deadlineUs)))
      if (nextUs > untilUs) break
      this.nowUs = nextUs
      while (this.#events.length > 0 && this.#events[0]!.atUs <= nextUs) this.#shift().run()
      for (const { endpoint, clock } of this.#endpoints.values()) {
        // The inverse of the clock rounds: half a microsecond more makes sure that the deadline has come.
        const localUs = clock.at(this.nowUs) + 0.5
        if (endpoint.deadlineUs <= localUs) endpoint.advance(localUs)
      }
    }
    this.nowUs = untilUs
  }

  /** Puts a datagram in, as if `from` had sent it. */
  inject(from: string, peer: PeerAddress, datagram: Uint8Array): void {
    const to = this.#endpoints.get(peer.address)
    to?.endpoint.receive(datagram.slice(), { address: from, port: 1 }, to.clock.at(this.nowUs))
  }

  #send(from: string, peer: PeerAddress, datagram: Uint8Array): void {
    if (this.isRecording) this.datagrams.push({ from, datagram: datagram.slice(), atUs: this.nowUs })
    const path = this.#paths.get(from) ?? {}
    if (this.#isLost(path, datagram)) return
    const copies = this.#happens(path.duplicates) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const late = this.#happens(path.reordered) ? (path.reorderUs ?? 5_000) : 0
      const delayUs = (path.delayUs ?? 0) + this.#random() * (path.jitterUs ?? 0) + late
      const bytes = datagram.slice()
      this.at(this.nowUs + delayUs, () => this.inject(from, peer, bytes))
    }
  }

  #isLost(path: PathOptions, datagram: Uint8Array): boolean {
    const [fromUs = Infinity, toUs = 0] = path.outage ?? []
    if (this.nowUs >= fromUs && this.nowUs < toUs) return true
    return this.#happens(path.loss) || path.lose?.(datagram) === true
  }

  #happens(share = 0): boolean {
    return this.#random() < share
  }

  #shift(): Event {
    const events = this.#events
    const first = events[0]!
    const last = events.pop()!
    if (events.length === 0) return first
    let parent = 0
    for (;;) {
      let child = parent * 2 + 1
      if (child >= events.length) break
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++
      if (!isBefore(events[child]!, last)) break
      events[parent] = events[child]!
      parent = child
    }
    events[parent] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order)
}

export interface Side {
  readonly connection: Connection
  readonly endpoint: Endpoint
  /** Numbers in the payloads received. */
  readonly received: number[]
  readonly receivedUs: number[]
  readonly batches: number[]
  readonly ended: EndReason[]
}

export interface Pair {
  readonly simulation: Simulation
  readonly caller: Side
  readonly listener: Side
}

export interface PairOptions {
  readonly seed?: number
  readonly caller?: ConnectionOptions
  readonly listener?: ConnectionOptions
  readonly toListener?: PathOptions
  readonly toCaller?: PathOptions
  readonly keyLength?: KeyLength
  /** How much faster the clock of the listener runs. */
  readonly ppm?: number
  readonly firstSequence?: number
}

export const CALLER = '10.0.0.1'
export const LISTENER = '10.0.0.2'
const PASSPHRASE = 'simulated secret'

/** Returns two connected sides. The caller has the address 10.0.0.1, the listener 10.0.0.2. */
export function connectPair(options: PairOptions = {}): Pair {
  const simulation = new Simulation(options.seed)
  simulation.path(CALLER, { delayUs: 20_000, ...options.toListener })
  simulation.path(LISTENER, { delayUs: 20_000, ...options.toCaller })
  let listener: Side | undefined
  let caller: Side | undefined
  const server = simulation.add(
    LISTENER,
    {
      request: (request) => {
        const kek =
          request.secret === undefined
            ? undefined
            : deriveKekSync(PASSPHRASE, request.secret.salt, request.secret.keyLength)
        const accepted = request.accept(
          {
            options: options.listener ?? {},
            ...(options.keyLength === undefined ? {} : { secret: { kek } }),
            events: (connection) => {
              listener = makeSide(connection, server)
              return eventsOf(listener, () => simulation.nowUs)
            },
          },
          simulation.timeAt(LISTENER),
        )
        if (typeof accepted === 'number') assert.fail(`rejected with ${accepted}`)
      },
    },
    options.ppm,
  )
  server.listen({ cookieSecret: new Uint8Array(16) })
  const client = simulation.add(CALLER)
  const salt = makeSalt()
  client.call(
    {
      peer: { address: LISTENER, port: 1 },
      streamId: 'publish:simulated',
      timeoutUs: 10_000_000,
      ...(options.keyLength === undefined
        ? {}
        : { secret: { salt, kek: deriveKekSync(PASSPHRASE, salt, options.keyLength) } }),
      options: options.caller ?? {},
      ...(options.firstSequence === undefined ? {} : { firstSequence: options.firstSequence }),
      connected: (connection) => {
        caller = makeSide(connection, client)
        return eventsOf(caller, () => simulation.nowUs)
      },
      failed: (code) => assert.fail(`rejected with ${code}`),
    },
    simulation.timeAt(CALLER),
  )
  const limitUs = simulation.nowUs + 10_000_000
  while ((caller === undefined || listener === undefined) && simulation.nowUs < limitUs)
    simulation.run(simulation.nowUs + 50_000)
  assert.ok(caller !== undefined && listener !== undefined, 'the handshake did not end')
  return { simulation, caller, listener }
}

function makeSide(connection: Connection, endpoint: Endpoint): Side {
  return { connection, endpoint, received: [], receivedUs: [], batches: [], ended: [] }
}

function eventsOf(side: Side, now: () => number) {
  return {
    deliver: (payloads: Uint8Array[]) => {
      side.batches.push(payloads.length)
      for (const payload of payloads) {
        side.received.push(numberOf(payload))
        side.receivedUs.push(now())
      }
    },
    ended: (reason: EndReason) => void side.ended.push(reason),
  }
}

/** A payload that says its number. */
function payloadOf(number: number, bytes = 1316): Uint8Array {
  const payload = new Uint8Array(bytes)
  new DataView(payload.buffer).setUint32(0, number)
  return payload
}

function numberOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0)
}

export interface Feed {
  sent: number
  refused: number
  readonly sentUs: number[]
}

/** Sends numbered payloads at `bytesPerSecond`, those of each `batchUs` together, for `durationUs`. */
export function feed(
  { simulation }: Pair,
  side: Side,
  { bytesPerSecond, durationUs, batchUs = 2_000 }: { bytesPerSecond: number; durationUs: number; batchUs?: number },
): Feed {
  const result: Feed = { sent: 0, refused: 0, sentUs: [] }
  const address = side.connection.peer.address === LISTENER ? CALLER : LISTENER
  let owedBytes = 0
  simulation.every(batchUs, simulation.nowUs + durationUs, () => {
    owedBytes += (bytesPerSecond * batchUs) / 1e6
    const nowUs = simulation.timeAt(address)
    for (; owedBytes >= 1316; owedBytes -= 1316) {
      if (side.connection.send(payloadOf(result.sent), nowUs)) {
        result.sent++
        result.sentUs.push(simulation.nowUs)
      } else result.refused++
    }
    side.connection.advance(nowUs)
    side.endpoint.touch(side.connection)
  })
  return result
}

/** Runs the simulation for that long. */
export function run({ simulation }: Pair, us: number): void {
  simulation.run(simulation.nowUs + us)
}

/** What a side has received if nothing is missing. */
export function countUp(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}
