// The listener and inputs of this package on a real socket, and an engine that accepts or refuses what is published.
import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type {
  Clock,
  DatagramTransport,
  Options,
  Publisher,
  PublisherGrant,
  PublisherRefusal,
} from '@millrace/engine/plugin'
import { FakeContext } from '@millrace/engine/testing'
import { ConnectionTotals, SrtError, SrtSocket } from '@millrace/srt/node'
import type { ConnectOptions, SrtConnection, SrtConnections } from '@millrace/srt/node'
import { BehaviorSubject } from 'rxjs'
import { type SrtListenerOptions, srtListenerOptions } from './listener-options.js'
import { SrtListener } from './srt-listener.js'
import { srtPublishers } from './srt-publishers.js'

export const realClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  every: (intervalMs, run) => {
    const timer = setInterval(run, intervalMs)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  },
}

/** What the engine has taken. */
export interface Taken {
  readonly publisher: Publisher
  bytes: number
  ended: string | undefined
  readonly close: () => PromiseLike<void>
}

export class SrtBench implements AsyncDisposable {
  readonly context = new FakeContext('listeners/srt')
  readonly refused: string[] = []
  readonly options$: BehaviorSubject<SrtListenerOptions>
  readonly listener: SrtListener
  readonly provided$: BehaviorSubject<SrtConnections | undefined>
  readonly caller: SrtSocket
  /** Of inputs. */
  idleMs: number | undefined
  readonly #socket: ReturnType<typeof createSocket>
  readonly #inputs: { unsubscribe(): void }[] = []

  static async open(options: Readonly<Record<string, unknown>> = {}): Promise<SrtBench> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const caller = await SrtSocket.open({ address: '127.0.0.1' })
    return new SrtBench(socket, caller, srtListenerOptions.parse(options))
  }

  private constructor(socket: ReturnType<typeof createSocket>, caller: SrtSocket, options: SrtListenerOptions) {
    this.#socket = socket
    this.caller = caller
    this.options$ = new BehaviorSubject(options)
    const transport: DatagramTransport = {
      transport: 'udp',
      queuedBytes: 1,
      name: 'srt',
      address: `127.0.0.1:${this.port}`,
      receiveBufferBytes: 0,
      receive: (handle) => void socket.on('message', (bytes, from) => handle(bytes, from)),
      send: (bytes, to) => socket.send(bytes, to.port, to.address),
      refuse: (reason) => void this.refused.push(reason),
    }
    const options$ = this.options$ as unknown as Options<SrtListenerOptions>
    this.listener = new SrtListener(transport, { options$, context: this.context, clock: realClock })
    this.provided$ = new BehaviorSubject<SrtConnections | undefined>(this.listener)
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port
  }

  /** Requests that wait for a stream. */
  get waiting(): number {
    return (this.context.readDetails?.() as { waiting?: number } | undefined)?.waiting ?? 0
  }

  /** An input; the engine accepts what it publishes, or refuses it with this. */
  input(
    decide: (publisher: Publisher) => PublisherRefusal | PublisherGrant | 'accept' = () => 'accept',
    app?: string,
  ): Taken[] {
    const taken: Taken[] = []
    const [context, provided$] = [new FakeContext('one/pub'), this.provided$]
    const publishers = srtPublishers({
      listener: 'srt',
      app,
      latencyMs: () => undefined,
      passphrase: () => undefined,
      idleMs: () => this.idleMs,
      clock: realClock,
      context,
      totals: new ConnectionTotals(),
      listeners: { of: (_, name) => ({ name, value: provided$.value as never, value$: provided$ as never }) },
    })
    const subscription = publishers.subscribe((publisher) => {
      const decision = decide(publisher)
      if (decision === 'accept') taken.push(take(publisher, {}))
      else if (typeof decision === 'object') taken.push(take(publisher, decision))
      else publisher.reject(decision, 'for a test')
    })
    this.#inputs.push(subscription)
    return taken
  }

  call(streamId: string | undefined, more: Partial<ConnectOptions> = {}): Promise<SrtConnection> {
    const id = streamId === undefined ? {} : { streamId }
    return this.caller.connect({ host: '127.0.0.1', port: this.port, timeoutMs: 60_000, ...id, ...more })
  }

  /** The code with which a call is refused. */
  async refusalOf(streamId: string | undefined, more: Partial<ConnectOptions> = {}): Promise<number | undefined> {
    const error: unknown = await this.call(streamId, more).catch((reason: unknown) => reason)
    return error instanceof SrtError ? error.rejectCode : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const input of this.#inputs) input.unsubscribe()
    await this.caller.close()
    await this.listener[Symbol.asyncDispose]()
    this.#socket.close()
  }
}

function take(publisher: Publisher, grant: PublisherGrant): Taken {
  const source = publisher.accept(grant)
  const taken: Taken = {
    publisher,
    bytes: 0,
    ended: undefined,
    close: () => source[Symbol.asyncDispose](),
  }
  source.chunks.subscribe({
    next: (received) => {
      if (received instanceof Uint8Array) taken.bytes += received.length
    },
    error: (error: unknown) => (taken.ended = String(error)),
    complete: () => (taken.ended = 'complete'),
  })
  return taken
}

/** Resolves when the claim holds, at the latest after 15 s. */
export async function until(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(5)
  }
  throw new Error(`still not true: ${what}`)
}
