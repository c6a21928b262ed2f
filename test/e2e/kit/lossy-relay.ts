// A UDP relay between one client and one server that loses and delays datagrams, by a seed.
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { seeded } from '../../fuzz/seeded.js'

export interface LossyPath {
  /** Share of the datagrams of each direction, 0 to 1. */
  readonly loss: number
  readonly delayMs: number
  readonly seed?: number
  /** Loses what it returns true for. */
  lose?(datagram: Uint8Array): boolean
  /** Called with all that it receives. */
  onDatagram?(datagram: Uint8Array, isLost: boolean): void
}

/** How often the relay looks what is due. */
const TICK_MS = 1

interface Delayed {
  readonly datagram: Uint8Array
  readonly socket: Socket
  readonly port: number
  readonly dueMs: number
}

export class LossyRelay implements AsyncDisposable {
  lost = 0
  readonly #front: Socket
  readonly #back: Socket
  readonly #path: LossyPath
  readonly #random: () => number
  /** In the order of arrival, which is that in which they are due. */
  #delayed: Delayed[] = []
  #timer: NodeJS.Timeout | undefined
  #clientPort = 0

  private constructor(front: Socket, back: Socket, path: LossyPath) {
    this.#front = front
    this.#back = back
    this.#path = path
    this.#random = seeded(path.seed ?? 1)
  }

  /** Relays to a port of 127.0.0.1. */
  static async open(toPort: number, path: LossyPath): Promise<LossyRelay> {
    const [front, back] = await Promise.all([bind(), bind()])
    const relay = new LossyRelay(front, back, path)
    front.on('message', (datagram, from) => {
      relay.#clientPort = from.port
      relay.#pass(datagram, back, toPort)
    })
    back.on('message', (datagram) => relay.#pass(datagram, front, relay.#clientPort))
    return relay
  }

  get port(): number {
    return this.#front.address().port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#front.close()
    this.#back.close()
    await Promise.resolve()
  }

  #pass(datagram: Uint8Array, socket: Socket, port: number): void {
    const isLost = this.#random() < this.#path.loss || this.#path.lose?.(datagram) === true
    this.#path.onDatagram?.(datagram, isLost)
    if (isLost) {
      this.lost++
      return
    }
    this.#delayed.push({ datagram, socket, port, dueMs: performance.now() + this.#path.delayMs })
    this.#timer ??= setTimeout(() => this.#release(), TICK_MS)
  }

  #release(): void {
    const nowMs = performance.now()
    const waiting = this.#delayed.findIndex(({ dueMs }) => dueMs > nowMs)
    const due = this.#delayed.splice(0, waiting < 0 ? this.#delayed.length : waiting)
    for (const { datagram, socket, port } of due) socket.send(datagram, port, '127.0.0.1')
    this.#timer = this.#delayed.length === 0 ? undefined : setTimeout(() => this.#release(), TICK_MS)
  }
}

async function bind(): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4 * 1024 * 1024,
    lookup: (address, _family, done) => done(null, address, 4),
  })
  const listening = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await listening
  return socket
}
