// Runs the input as the engine does, one attempt at a time, with real sockets and a clock that the test advances.
import { createSocket, type Socket } from 'node:dgram'
import { FakeClock, FakeContext, TestSockets } from '@millrace/engine/testing'
import type { Options, Received, Source } from '@millrace/engine/plugin'
import { renderRtpHeader, RTP_HEADER_BYTES } from '@millrace/media/rtp'
import { BehaviorSubject, type Subscription } from 'rxjs'
import type { z } from 'zod'
import input from './index.js'
import { udpOptions } from './udp-options.js'

export type Given = z.input<typeof udpOptions>

const DEADLINE_MS = 60_000
/** What fits in a receive buffer of the size that kernels grant by default, with what they count beside each datagram. */
const MOST_UNSEEN_BYTES = 64 * 1024
const COUNTED_BESIDE = 1024

/** Real sockets whose interface can go. */
class LeavingSockets extends TestSockets {
  isInterfaceGone = false

  override async udp(options: Parameters<TestSockets['udp']>[0]): ReturnType<TestSockets['udp']> {
    const socket = await super.udp(options)
    const join = socket.join.bind(socket)
    socket.join = (wanted) => join(this.isInterfaceGone ? { ...wanted, interface: 'eth99' } : wanted)
    return socket
  }
}

export class UdpHarness implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext()
  readonly sockets = new LeavingSockets(this.clock)
  readonly errors: unknown[] = []
  /** Lengths of what was emitted at a time; 0 for a boundary. */
  readonly emitted: number[] = []
  readonly arrivals: number[] = []
  readonly sender: Socket
  readonly #options: BehaviorSubject<z.output<typeof udpOptions>>
  readonly #source: Source<Received>
  #subscription: Subscription | undefined
  #parts: Uint8Array[] = []

  constructor(given: Given, senderType: 'udp4' | 'udp6' = 'udp4') {
    this.#options = new BehaviorSubject(udpOptions.parse(given))
    const deps = { clock: this.clock, sockets: this.sockets }
    this.#source = input.open(
      this.#options as Options<z.output<typeof udpOptions>>,
      this.context,
      deps,
    ) as Source<Received>
    this.sender = createSocket(senderType)
  }

  /** Opens the input and starts to receive; resolves when its socket is bound. */
  static async start(given: Given): Promise<UdpHarness> {
    const harness = new UdpHarness(given)
    harness.subscribe()
    await until(() => harness.isReady || harness.errors.length > 0, 'it is bound, or fails')
    return harness
  }

  subscribe(): void {
    this.#subscription?.unsubscribe()
    this.#subscription = this.#source.chunks.subscribe({
      next: (received) => this.#take(received),
      error: (error: unknown) => this.errors.push(error),
    })
  }

  unsubscribe(): void {
    this.#subscription?.unsubscribe()
  }

  change(given: Given): void {
    this.#options.next(udpOptions.parse(given))
  }

  onBatch(): void {
    this.#source.onBatch?.()
  }

  get isReady(): boolean {
    return this.context.reported.some((word) => word.startsWith('waiting: '))
  }

  get port(): number {
    const details: unknown = this.context.readDetails?.()
    return (details as { readonly port?: number } | undefined)?.port ?? 0
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  get boundaries(): number {
    return this.emitted.filter((length) => length === 0).length
  }

  get datagrams(): number {
    return this.context.metric('udp_received_datagrams_total') as number
  }

  /** Sends datagrams, and resolves when the input has seen them. */
  async send(datagrams: readonly Uint8Array[], sender = this.sender, to = '127.0.0.1'): Promise<void> {
    const before = this.datagrams
    let unseenBytes = 0
    for (const [at, bytes] of datagrams.entries()) {
      sender.send(bytes, this.port, to)
      unseenBytes += bytes.length + COUNTED_BESIDE
      if (unseenBytes < MOST_UNSEEN_BYTES) continue
      await until(() => this.datagrams === before + at + 1, 'it follows')
      unseenBytes = 0
    }
    await until(() => this.datagrams === before + datagrams.length, 'all datagrams have arrived')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unsubscribe()
    this.sender.close()
    await this.#source[Symbol.asyncDispose]()
    this.sockets[Symbol.dispose]()
  }

  #take(received: Received): void {
    if ('boundary' in received) return void this.emitted.push(0)
    if (received instanceof Uint8Array) throw new Error('without the time of arrival')
    this.arrivals.push(received.receivedAtMs)
    this.emitted.push(received.bytes.length)
    // The array is valid only during the call.
    this.#parts.push(received.bytes.slice())
  }
}

export interface RtpPlan {
  readonly sequence: number
  readonly ssrc?: number
  readonly payload: Uint8Array
}

export function rtp({ sequence, ssrc = 1, payload }: RtpPlan): Uint8Array {
  const bytes = new Uint8Array(RTP_HEADER_BYTES + payload.length)
  renderRtpHeader(bytes, { payloadType: 33, sequence, ssrc, timestamp: 0, start: 0, end: 0 })
  bytes.set(payload, RTP_HEADER_BYTES)
  return bytes
}

/** Pieces of `size` bytes. */
export function split(bytes: Uint8Array, size = 1316): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
}

/** Resolves when `holds` returns true; checked in each turn of the event loop. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`timed out waiting until: ${what}`)
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
}
