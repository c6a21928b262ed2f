// A UDP socket for any number of SRT connections, as listener and as caller: the core with a socket, a clock and a timer.
import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { SocketAddress, isIPv6 } from 'node:net'
import type { Connection } from '../connection.js'
import { deriveKek } from '../crypto/key-material.js'
import { makeSalt } from '../crypto/session-keys.js'
import { Endpoint } from '../endpoint.js'
import type { ConnectionRequest } from '../endpoint.js'
import type { EndpointStats } from '../endpoint-stats.js'
import type { PeerAddress } from '../handshake/cookie.js'
import { REJECT } from '../handshake/reject-code.js'
import { callHandler } from './call-handler.js'
import { checkCall, checkPassphrase, checkSocket, connectionOptions, optionError } from './socket-options.js'
import type { ConnectOptions, ListenOptions, SocketOptions, SrtDecision, SrtRequest } from './socket-options.js'
import { SrtConnection } from './srt-connection.js'
import { SrtError, callError } from './srt-error.js'
import type { DatagramPort, SocketHost } from './datagram-port.js'
import { SYSTEM_HOST } from './datagram-port.js'
import { Turns } from './turns.js'
import { ThreadedSocket } from './thread/threaded-socket.js'
import { UdpSocket } from './udp-socket.js'

const BUFFER_BYTES = 4 * 1024 * 1024
/** A timer that late means that the process stood still; then datagrams are read first, for so long at most. */
const LATE_US = 5_000
const READ_US = 100_000

export class SrtSocket implements AsyncDisposable {
  readonly #udp: DatagramPort
  readonly #host: SocketHost
  readonly #onAdvance: () => void
  readonly #endpoint: Endpoint
  /** Give up the calls that are not answered yet. */
  readonly #calls = new Set<(reason: Error) => void>()
  /** A derivation takes a millisecond of a thread that others need, too. */
  readonly #derivations = new Turns(2)
  /** Callers that wait for a decision, with the listener that was asked. */
  readonly #pending = new Map<ConnectionRequest, ListenOptions>()
  #listening: ListenOptions | undefined
  #timer: Disposable | undefined
  #timerUs = Infinity
  #datagrams = 0
  #datagramsAtAdvance = 0
  /** While datagrams are read before anything else is done. */
  #readUntilUs: number | undefined
  #isClosed = false
  #closedWith: number = REJECT.closed

  private constructor(udp: DatagramPort, host: SocketHost) {
    this.#udp = udp
    this.#host = host
    this.#onAdvance = host.guard(() => this.#advance())
    this.#endpoint = new Endpoint({
      transmit: (datagram, peer) => this.#udp.send(datagram, peer),
      hasSentAll: () => this.#udp.queuedBytes === 0,
      request: (request) => void this.#decide(request),
      refused: (peer, code) => this.#tell(() => this.#listening?.onRefused?.(peer, code)),
    })
    udp.onDatagram((datagram, from) => {
      this.#datagrams++
      try {
        this.#endpoint.receive(datagram, from, this.nowUs())
      } finally {
        this.#schedule()
      }
    })
  }

  /** Binds a socket, with `worker` in a thread of its own. Rejects with the error of the system. */
  static async open(options: SocketOptions & { readonly worker: true }): Promise<ThreadedSocket>
  static async open(options?: SocketOptions & { readonly worker?: false }): Promise<SrtSocket>
  static async open(options: SocketOptions & { readonly worker?: boolean } = {}): Promise<SrtSocket | ThreadedSocket> {
    const { worker = false, ...own } = options
    if (worker) return ThreadedSocket.open(own)
    checkSocket(own)
    const { address = '0.0.0.0', port = 0, bufferBytes = BUFFER_BYTES, ...rest } = own
    return new SrtSocket(await UdpSocket.bind({ address, port, bufferBytes, ...rest }), SYSTEM_HOST)
  }

  /** Over a socket that somebody else has bound, with the clock and the timers of `host`. Closing it closes the port. */
  static over(port: DatagramPort, host: SocketHost): SrtSocket {
    return new SrtSocket(port, host)
  }

  get address(): PeerAddress {
    return this.#udp.address
  }

  /**
   * The receive buffer that the system granted, by its own count (Linux: about twice what fits). A small one loses
   * packets whenever this process is late: raise `net.core.rmem_max`.
   */
  get receiveBufferBytes(): number {
    return this.#udp.receiveBufferBytes
  }

  get connectionCount(): number {
    return this.#endpoint.connectionCount
  }

  /** Handshakes, and datagrams that were not taken, since the socket was opened. */
  stats(): EndpointStats {
    return this.#endpoint.stats()
  }

  /** Errors that the system reported since the socket was bound. */
  get errors(): { readonly count: number; readonly last: Error | undefined } {
    return { count: this.#udp.errors, last: this.#udp.lastError }
  }

  /** Accepts callers from now on. May be called again with other options. */
  listen(options: ListenOptions): void {
    checkPassphrase(options.passphrase)
    this.#listening = options
    this.#endpoint.listen({
      cookieSecret: randomBytes(32),
      ...(options.keyLength === undefined ? {} : { keyLength: options.keyLength }),
      ...(options.maxPending === undefined ? {} : { maxPending: options.maxPending }),
    })
  }

  /** Refuses callers from now on; connections go on. */
  stopListening(): void {
    this.#listening = undefined
    this.#endpoint.stopListening()
  }

  /** Resolves when the connection is open. Rejects with SrtError, or the error of the name look-up. */
  async connect(options: ConnectOptions): Promise<SrtConnection> {
    if (this.#isClosed) throw closedError()
    checkCall(options)
    const isIpv4 = !this.address.address.includes(':')
    const { address } = await lookup(options.host, { family: isIpv4 ? 4 : 0 })
    if (isIpv4 && isIPv6(address)) throw optionError('host', 'is an IPv6 address, and the socket has an IPv4 one')
    const salt = makeSalt()
    const { passphrase, keyLength = 16 } = options
    const secret =
      passphrase === undefined ? {} : { secret: { salt, kek: await deriveKek(passphrase, salt, keyLength) } }
    return this.#call(options, { address: canonical(address), port: options.port }, secret)
  }

  /** Rejects callers that wait for a decision with `code`, and closes all connections, at once, and the socket. */
  async close(code: number = REJECT.closed): Promise<void> {
    if (this.#isClosed) return
    this.#closedWith = code
    this.#rejectPending(code)
    this.#isClosed = true
    for (const giveUp of [...this.#calls]) giveUp(closedError())
    this.#tell(() => this.#endpoint.end())
    this.#timer?.[Symbol.dispose]()
    await this.#udp.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The clock of the core, in microseconds. */
  nowUs(): number {
    return this.#host.nowMs() * 1000
  }

  /** A method of a connection was called. */
  touched(connection: Connection): void {
    this.#endpoint.touch(connection)
    this.#schedule()
  }

  #call(
    options: ConnectOptions,
    peer: PeerAddress,
    secret: { secret?: { kek: Uint8Array; salt: Uint8Array } },
  ): Promise<SrtConnection> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError())
      if (signal?.aborted === true) return reject(abortOf(signal))
      let cancel = (): unknown => undefined
      let isSettled = false
      const settle = (): void => {
        isSettled = true
        this.#calls.delete(giveUp)
        signal?.removeEventListener('abort', abort)
      }
      const giveUp = (reason: Error): void => {
        settle()
        cancel()
        reject(reason)
      }
      const abort = (): void => giveUp(abortOf(signal))
      cancel = this.#endpoint.call(
        {
          ...{ peer, options: connectionOptions(options), ...secret },
          ...(options.streamId === undefined ? {} : { streamId: options.streamId }),
          ...(options.timeoutMs === undefined ? {} : { timeoutUs: options.timeoutMs * 1000 }),
          connected: (core) => {
            settle()
            const connection = new SrtConnection(core, this)
            resolve(connection)
            return connection.events()
          },
          failed: (code) => {
            settle()
            reject(callError(code, peer.address, peer.port))
          },
        },
        this.nowUs(),
      )
      if (isSettled) return
      this.#calls.add(giveUp)
      signal?.addEventListener('abort', abort)
      this.#schedule()
    })
  }

  async #decide(request: ConnectionRequest): Promise<void> {
    const listening = this.#listening
    if (listening !== undefined) this.#pending.set(request, listening)
    const code = listening === undefined ? this.#reject(request, REJECT.closed) : await this.#answer(request, listening)
    if (typeof code === 'number') {
      // `accept` has answered already if the passphrase was wrong.
      this.#tell(() => listening?.onRefused?.(request.peer, code))
    }
    this.#schedule()
  }

  /** Accepts or rejects. Returns the code of a rejection. */
  async #answer(request: ConnectionRequest, listening: ListenOptions): Promise<number | undefined> {
    const { peer, streamId, peerVersion, earlier } = request
    const asked: SrtRequest = { peer, streamId, peerVersion, earlier, hasPassphrase: request.secret !== undefined }
    let decision: SrtDecision = {}
    let kek: Uint8Array | undefined
    let passphrase: string | undefined
    try {
      decision = (await listening.onRequest?.(asked)) ?? {}
      if (decision.reject !== undefined) return this.#reject(request, decision.reject)
      passphrase = decision.passphrase ?? listening.passphrase
      checkPassphrase(passphrase)
      kek = await this.#derivations.run(() => kekOf(request, passphrase))
    } catch {
      this.#tell(() => decision.onRefused?.(REJECT.internalServerError))
      return this.#reject(request, REJECT.internalServerError)
    }
    if (this.#isClosed) {
      this.#tell(() => decision.onRefused?.(this.#closedWith))
      return undefined
    }
    this.#pending.delete(request)
    const accepted = request.accept(
      {
        options: { ...connectionOptions(listening), ...connectionOptions(decision) },
        ...(passphrase === undefined ? {} : { secret: { kek } }),
        events: (core) => {
          const connection = new SrtConnection(core, this)
          const isTaken = this.#tell(() => (decision.onConnection ?? listening.onConnection)(connection))
          if (!isTaken) connection.end()
          return connection.events()
        },
      },
      this.nowUs(),
    )
    if (typeof accepted !== 'number') {
      if (decision.replaceEarlier === true)
        for (const connection of earlier) this.#tell(() => connection.end('replaced'))
      return undefined
    }
    this.#tell(() => decision.onRefused?.(accepted))
    return accepted
  }

  /** Undefined if the socket has been closed, which has rejected all. */
  #reject(request: ConnectionRequest, code: number): number | undefined {
    if (this.#isClosed) return undefined
    this.#pending.delete(request)
    request.reject(code, this.nowUs())
    return code
  }

  #rejectPending(code: number): void {
    for (const [request, { onRefused }] of this.#pending) {
      this.#pending.delete(request)
      request.reject(code, this.nowUs())
      this.#tell(() => onRefused?.(request.peer, code))
    }
  }

  #tell(run: () => void): boolean {
    return callHandler(run, (rethrow) => this.#host.guard(rethrow))
  }

  /** Sets the timer for the earliest deadline. */
  #schedule(): void {
    const { deadlineUs } = this.#endpoint
    if (deadlineUs >= this.#timerUs || this.#isClosed) return
    this.#timer?.[Symbol.dispose]()
    this.#timerUs = deadlineUs
    const waitMs = Math.max(1, Math.ceil((deadlineUs - this.nowUs()) / 1000))
    this.#timer = this.#host.after(waitMs, this.#onAdvance)
  }

  /**
   * If this process is late, datagrams wait in the socket: they are read first, or packets that they contain would be
   * taken for missing.
   */
  #advance(): void {
    if (this.#isClosed) return
    const nowUs = this.nowUs()
    const isReading = this.#datagrams !== this.#datagramsAtAdvance
    this.#datagramsAtAdvance = this.#datagrams
    if (this.#readUntilUs === undefined && nowUs - this.#timerUs > LATE_US) this.#readUntilUs = nowUs + READ_US
    if (isReading && nowUs < (this.#readUntilUs ?? 0)) {
      setImmediate(this.#onAdvance)
      return
    }
    this.#readUntilUs = undefined
    this.#timerUs = Infinity
    try {
      this.#endpoint.advance(nowUs)
    } finally {
      this.#schedule()
    }
  }
}

/** The form in which datagrams name their sender. */
function canonical(address: string): string {
  return isIPv6(address) && !address.includes('%') ? new SocketAddress({ address, family: 'ipv6' }).address : address
}

/** Undefined if one of both sides has no passphrase. */
async function kekOf({ secret }: ConnectionRequest, passphrase: string | undefined): Promise<Uint8Array | undefined> {
  if (passphrase === undefined || secret === undefined) return undefined
  return deriveKek(passphrase, secret.salt, secret.keyLength)
}

function closedError(): SrtError {
  return new SrtError('SRT_CLOSED', 'the socket is closed')
}

function abortOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new SrtError('SRT_CLOSED', 'the call was given up')
}
