// For tests of listeners and delivery: a real clock, a log that keeps its lines, and a client that sends and reads
// bytes.
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { Duplex } from 'node:stream'
import type { StreamHandler, Visit } from './stream-handler.js'

export const REAL_CLOCK: Clock = {
  nowMs: () => performance.now(),
  wallMs: (monotonicMs) => performance.timeOrigin + monotonicMs,
  after: (delayMs, run) => stopper(setTimeout(run, delayMs)),
  every: (periodMs, run) => stopper(setInterval(run, periodMs)),
}

function stopper(timer: NodeJS.Timeout): Disposable {
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

/** A log whose lines a test can read. */
export class KeptLog {
  readonly lines: { readonly level: string; readonly data: unknown; readonly text: string }[] = []
  readonly log: Logger

  constructor() {
    const at =
      (level: string) =>
      (data: unknown, text = ''): void => {
        this.lines.push({ level, data, text })
      }
    this.log = {
      trace: at('trace'),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      fatal: at('fatal'),
      isLevelEnabled: () => true,
    }
  }
}

/** Resolves when the claim holds; fails the test if it does not within a minute. */
export async function until(claim: () => boolean, what: string, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!claim()) {
    if (performance.now() > deadline) throw new Error(`still not true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export class RawClient {
  readonly socket: Socket
  isEnded = false
  isClosed = false
  readonly #received: Buffer[] = []
  #length = 0

  /** `host:port`. By default plain TCP. */
  constructor(address: string, open: (port: number) => Socket = openTcp) {
    this.socket = open(Number(address.slice(address.lastIndexOf(':') + 1)))
    this.socket.on('data', (chunk) => {
      this.#received.push(chunk)
      this.#length += chunk.length
    })
    this.socket.on('end', () => {
      this.isEnded = true
    })
    this.socket.on('close', () => {
      this.isClosed = true
    })
    this.socket.on('error', () => {})
  }

  get length(): number {
    return this.#length
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#received)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  /** What followed the first empty line. */
  get body(): Buffer {
    const all = this.bytes
    const end = all.indexOf('\r\n\r\n')
    return end < 0 ? Buffer.alloc(0) : all.subarray(end + 4)
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.text)?.[1] ?? 0)
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(bytes)
    return this
  }

  get(path: string, ...headers: string[]): this {
    return this.send(['GET ' + path + ' HTTP/1.1', 'Host: here', ...headers, '', ''].join('\r\n'))
  }

  async ended(): Promise<this> {
    await until(() => this.isEnded || this.isClosed, 'the server ends the connection')
    return this
  }

  async received(bytes: number): Promise<this> {
    await until(() => this.#length >= bytes, `${bytes} bytes received`)
    return this
  }

  /** Resolves when the text has arrived. */
  async saw(text: string): Promise<this> {
    await until(() => this.text.includes(text), `"${text}" received`)
    return this
  }

  close(): void {
    this.socket.destroy()
  }
}

function openTcp(port: number): Socket {
  return connect({ host: '127.0.0.1', port, allowHalfOpen: true })
}

/** A live path that writes `hello` and then nothing. */
export class HelloHandler implements StreamHandler {
  readonly sockets: Duplex[] = []
  readonly visits: Visit[] = []

  serve(socket: Duplex, visit: Visit): void {
    this.sockets.push(socket)
    this.visits.push(visit)
    if (visit.respond === undefined) socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello')
    else {
      visit.respond(200, { 'Content-Type': 'video/mp2t' })
      socket.write('hello')
    }
  }

  head(): { status: number; headers: Record<string, string> } {
    return { status: 200, headers: { 'Content-Type': 'video/mp2t' } }
  }
}

/** Open descriptors of this process; -1 if the system does not show them. */
export function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}

/** Open descriptors to begin with: what earlier tests close has been closed when five looks in a row show the same. */
export async function settledDescriptors(): Promise<number> {
  let count = countDescriptors()
  for (let look = 1, same = 0; look < 250 && same < 5; look++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const now = countDescriptors()
    same = now === count ? same + 1 : 0
    count = now
  }
  return count
}
