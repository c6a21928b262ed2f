// All connections over one socket: tells datagrams apart by the socket id in them, opens connections, and knows the
// earliest deadline. It does no I/O.
import { randomInt } from 'node:crypto'
import { Connection } from './connection.js'
import type { ConnectionHost, EndReason } from './connection.js'
import { resolveOptions } from './connection-options.js'
import type { ConnectionOptions } from './connection-options.js'
import type { KeyLength } from './crypto/key-material.js'
import { makeEndpointCounters } from './endpoint-stats.js'
import type { EndpointStats } from './endpoint-stats.js'
import { CallerHandshake } from './handshake/caller.js'
import type { PeerAddress } from './handshake/cookie.js'
import { ListenerHandshake } from './handshake/listener.js'
import type { AcceptSecret, ListenerOptions, PendingConclusion } from './handshake/listener.js'
import { REJECT } from './handshake/reject-code.js'
import type { Session } from './handshake/session.js'
import { Slab } from './packet/slab.js'
import { CONTROL, HEADER_BYTES, isControl, readControlType, readDestination } from './packet/header.js'

const MAX_SOCKET_ID = 0x3fff_ffff
const MAX_SEQUENCE = 0x7fff_ffff
const CALL_TIMEOUT_US = 3_000_000

/** What a host wants of a connection; see `ConnectionHost`. */
export type ConnectionEvents = Pick<ConnectionHost, 'deliver' | 'ended'>

export interface EndpointHost {
  /** Sends a datagram. The bytes do not change afterwards, unless `hasSentAll` says that they may. */
  transmit(datagram: Uint8Array, peer: PeerAddress): void
  /** Whether nothing that was transmitted is needed any more. By default it always is. */
  hasSentAll?(): boolean
  /** A caller with a valid cookie wants to connect: accept or reject it, now or later. Only when listening. */
  request?(request: ConnectionRequest): void
  /** A caller was refused for a reason that needs no decision. */
  refused?(peer: PeerAddress, code: number): void
}

export interface ConnectionRequest {
  readonly peer: PeerAddress
  /** As it was sent; see `parseStreamId`. */
  readonly streamId: string | undefined
  /** libsrt's notation: 0x010501 is 1.5.1. */
  readonly peerVersion: number
  /** What the caller's key material needs to be unwrapped; undefined if it has no passphrase. */
  readonly secret: { readonly salt: Uint8Array; readonly keyLength: KeyLength } | undefined
  /**
   * Connections from the same address and port with the same StreamID. Where there can be one only (a publisher), the
   * new handshake proves the old one dead: `end('replaced')` it.
   */
  readonly earlier: readonly Connection[]
  /** Returns the connection, or the code with which the caller was rejected since its passphrase is wrong. */
  accept(choice: Acceptance, nowUs: number): Connection | number
  /** @param code of SRT, 1000 and a status for access control, or from 2000 on the application's own */
  reject(code: number, nowUs: number): void
}

export interface Acceptance {
  readonly options?: ConnectionOptions
  /** Present if there is a passphrase. */
  readonly secret?: AcceptSecret
  /** May end the connection, which is then told as ended. If it throws, the connection ends, and `accept` throws the same. */
  events(connection: Connection): ConnectionEvents
}

export interface Call {
  readonly peer: PeerAddress
  readonly streamId?: string
  /** `kek` is derived from the passphrase for this salt. */
  readonly secret?: { readonly kek: Uint8Array; readonly salt: Uint8Array }
  readonly options?: ConnectionOptions
  /** 3 s by default. */
  readonly timeoutUs?: number
  /** Of both directions; random by default. */
  readonly firstSequence?: number
  /** Called when the connection is open, before anything comes from it. As `events` of an `Acceptance`. */
  connected(connection: Connection): ConnectionEvents
  /** The peer has rejected the call, or has not answered in time (16). */
  failed(code: number): void
}

interface PendingCall {
  readonly call: Call
  readonly handshake: CallerHandshake
}

export class Endpoint {
  readonly #host: EndpointHost
  readonly #connections = new Map<number, Connection>()
  readonly #calls = new Map<number, PendingCall>()
  /** Of all connections: one sends its datagrams before the next one takes memory. */
  readonly #slab = new Slab(() => this.#host.hasSentAll?.() === true)
  readonly #counters = makeEndpointCounters()
  #listener: ListenerHandshake | undefined
  #deadlineUs = Infinity
  #nowUs = 0

  constructor(host: EndpointHost) {
    this.#host = host
  }

  get connections(): IterableIterator<Connection> {
    return this.#connections.values()
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** What came since the endpoint was made. */
  stats(): EndpointStats {
    return { ...this.#counters }
  }

  /** Answers callers from now on. */
  listen(options: ListenerOptions): void {
    this.#listener = new ListenerHandshake(options, {
      transmit: (datagram, peer) => this.#host.transmit(datagram, peer),
      refused: (peer, code) => this.#host.refused?.(peer, code),
      counters: this.#counters,
    })
  }

  /** Takes no new callers; connections go on. */
  stopListening(): void {
    this.#listener = undefined
  }

  /**
   * Connects to a listener. Returns a function that gives the call up.
   * @throws RangeError if the StreamID is longer than 512 bytes
   */
  call(call: Call, nowUs: number): () => void {
    const localId = this.#makeId()
    const { firstSequence = randomInt(MAX_SEQUENCE) } = call
    const handshake = new CallerHandshake(
      {
        ...{ peer: call.peer, localId, streamId: call.streamId, secret: call.secret },
        firstSequence,
        timeoutUs: call.timeoutUs ?? CALL_TIMEOUT_US,
        connection: resolveOptions(call.options ?? {}),
      },
      nowUs,
    )
    this.#calls.set(localId, { call, handshake })
    try {
      this.#advanceCall(localId, nowUs)
    } catch (error) {
      this.#calls.delete(localId)
      throw error
    }
    return () => this.#calls.delete(localId)
  }

  /**
   * Takes a datagram. Its memory belongs to the endpoint from now on: data packets are not copied. `from` is read during
   * the call.
   */
  receive(datagram: Uint8Array, from: PeerAddress, nowUs: number): void {
    this.#nowUs = nowUs
    if (datagram.length < HEADER_BYTES) {
      this.#counters.malformed++
      return
    }
    const id = readDestination(datagram)
    const connection = this.#connections.get(id)
    if (connection === undefined) this.#receiveOther(id, datagram, from, nowUs)
    else if (isSame(connection.peer, from)) {
      try {
        connection.receive(datagram, nowUs)
      } finally {
        this.#due(connection.deadlineUs)
      }
    } else this.#counters.strangers++
  }

  /** Takes a datagram that is for no connection. */
  #receiveOther(id: number, datagram: Uint8Array, from: PeerAddress, nowUs: number): void {
    const isHandshake = isControl(datagram) && readControlType(datagram) === CONTROL.handshake
    if (isHandshake && this.#receiveAnswer(id, datagram, from, nowUs)) return
    if (isHandshake && id === 0) this.#receiveCaller(datagram, from, nowUs)
    else this.#counters.unknownIds++
  }

  /** Does what is due. To be called at `deadlineUs`. */
  advance(nowUs: number): void {
    this.#nowUs = nowUs
    this.#deadlineUs = Infinity
    let isDone = false
    try {
      for (const id of this.#calls.keys()) this.#advanceCall(id, nowUs)
      for (const connection of this.#connections.values()) {
        if (connection.deadlineUs <= nowUs) connection.advance(nowUs)
        this.#due(connection.deadlineUs)
      }
      isDone = true
    } finally {
      // A handler has thrown: the rest follows at once.
      if (!isDone) this.#deadlineUs = nowUs
    }
  }

  /** When `advance` is next due; it may be too early. Something has to tell when a connection was used: `touch`. */
  get deadlineUs(): number {
    return this.#deadlineUs
  }

  /** To be called after methods of a connection: its deadline may have changed. */
  touch(connection: Connection): void {
    this.#due(connection.deadlineUs)
  }

  /** Ends everything at once; peers are told. Throws what the first handler has thrown, after all have been told. */
  end(): void {
    this.stopListening()
    this.#calls.clear()
    const failures: unknown[] = []
    for (const connection of [...this.#connections.values()]) {
      try {
        connection.end('closed')
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #due(us: number): void {
    if (us < this.#deadlineUs) this.#deadlineUs = us
  }

  #advanceCall(id: number, nowUs: number): void {
    const pending = this.#calls.get(id)
    if (pending === undefined) return
    const step = pending.handshake.advance(nowUs)
    if (typeof step === 'number') {
      this.#calls.delete(id)
      pending.call.failed(step)
      return
    }
    if (step !== undefined) this.#host.transmit(step, pending.call.peer)
    this.#due(pending.handshake.deadlineUs)
  }

  /** Some listeners answer to socket id 0 (libsrt up to 1.3). */
  #receiveAnswer(id: number, packet: Uint8Array, from: PeerAddress, nowUs: number): boolean {
    const localId = id === 0 ? this.#callTo(from) : id
    const pending = localId === undefined ? undefined : this.#calls.get(localId)
    if (localId === undefined || pending === undefined || !isSame(pending.call.peer, from)) return false
    const result = pending.handshake.receive(packet, nowUs)
    if (result === undefined) {
      this.#advanceCall(localId, nowUs)
      return true
    }
    this.#calls.delete(localId)
    if (typeof result === 'number') pending.call.failed(result)
    else this.#open(result, pending.call.options ?? {}, (connection) => pending.call.connected(connection), nowUs)
    return true
  }

  #callTo(peer: PeerAddress): number | undefined {
    for (const [id, { call }] of this.#calls) if (isSame(call.peer, peer)) return id
    return undefined
  }

  #receiveCaller(packet: Uint8Array, from: PeerAddress, nowUs: number): void {
    const listener = this.#listener
    const pending = listener?.receive(packet, { address: from.address, port: from.port }, nowUs)
    if (listener === undefined || pending === undefined) return
    if (this.#host.request === undefined) listener.reject(pending, REJECT.closed, nowUs)
    else this.#host.request(this.#requestOf(pending, listener))
  }

  #requestOf(pending: PendingConclusion, listener: ListenerHandshake): ConnectionRequest {
    let isDecided = false
    const decide = (): void => {
      if (isDecided) throw new Error('the request is already accepted or rejected')
      isDecided = true
    }
    return {
      peer: pending.peer,
      streamId: pending.streamId,
      earlier: [...this.#connections.values()].filter(
        ({ session }) => isSame(session.peer, pending.peer) && session.streamId === pending.streamId,
      ),
      peerVersion: pending.extension.version,
      secret: pending.material && { salt: pending.material.salt, keyLength: pending.material.keyLength },
      accept: (choice, nowUs) => {
        decide()
        return this.#accept(pending, listener, choice, nowUs)
      },
      reject: (code, nowUs) => {
        decide()
        listener.reject(pending, code, nowUs)
      },
    }
  }

  #accept(
    pending: PendingConclusion,
    listener: ListenerHandshake,
    { options = {}, secret, events }: Acceptance,
    nowUs: number,
  ): Connection | number {
    const connection = resolveOptions(options)
    const session = listener.accept(pending, { secret, localId: this.#makeId(), connection }, nowUs)
    if (typeof session === 'number') return session
    return this.#open(session, options, events, nowUs, () => listener.ended(session, this.#nowUs))
  }

  #open(
    session: Session,
    options: ConnectionOptions,
    connected: (connection: Connection) => ConnectionEvents,
    nowUs: number,
    onEnd?: () => void,
  ): Connection {
    let events: ConnectionEvents | undefined
    let endedEarly: EndReason | undefined
    const host = {
      transmit: (datagram: Uint8Array) => this.#host.transmit(datagram, session.peer),
      deliver: (payloads: Uint8Array[]) => events?.deliver(payloads),
      ended: (reason: EndReason) => {
        this.#connections.delete(session.localId)
        onEnd?.()
        if (events === undefined) endedEarly = reason
        else events.ended(reason)
      },
    }
    const connection = new Connection(session, resolveOptions(options), host, nowUs, this.#slab)
    this.#connections.set(session.localId, connection)
    try {
      events = connected(connection)
    } catch (error) {
      connection.end('closed')
      throw error
    }
    // It was ended by who has just learned of it.
    if (endedEarly !== undefined) events.ended(endedEarly)
    this.#due(connection.deadlineUs)
    return connection
  }

  #makeId(): number {
    for (;;) {
      const id = randomInt(1, MAX_SOCKET_ID)
      if (!this.#connections.has(id) && !this.#calls.has(id)) return id
    }
  }
}

function isSame(a: PeerAddress, b: PeerAddress): boolean {
  return a.port === b.port && a.address === b.address
}
