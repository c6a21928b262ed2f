// One connection after its handshake, in both directions. It does no I/O: datagrams and the time go in; datagrams,
// payloads and the next deadline come out. `advance` is to be called at the deadline; nothing happens by itself.
import type { ConnectionStats } from './connection-stats.js'
import type { ResolvedOptions } from './connection-options.js'
import { KM_STATE, ReceiveKeys } from './crypto/receive-keys.js'
import { SendKeys } from './crypto/send-keys.js'
import type { PeerAddress } from './handshake/cookie.js'
import { mostReceivedBytes } from './handshake/session.js'
import type { Session } from './handshake/session.js'
import { EMPTY_CONTROL_BYTES, parseAck, parseDropRequest, readNak } from './packet/control.js'
import {
  CONTROL,
  HEADER_BYTES,
  USER_SUBTYPE,
  isControl,
  readControlType,
  readSubtype,
  readTimestamp,
  readTypeSpecific,
  writeControlHeader,
  writeU32,
} from './packet/header.js'
import { timestampOf } from './packet/sequence.js'
import { Slab } from './packet/slab.js'
import { PlayoutClock } from './receive/playout-clock.js'
import { Receiver } from './receive/receiver.js'
import { RoundTrip } from './rtt.js'
import { Sender } from './send/sender.js'

const KEEPALIVE_US = 1_000_000
/** After that long without a key that fits, the connection ends, so that the peer comes back with a new key. */
const UNDECRYPTABLE_US = 4_000_000
/** After that long with data whose time lies too far ahead: the clock of the peer has jumped, and a new connection follows it. */
const AHEAD_US = 4_000_000
/** What a peer has sent falls due within the latency; this much is for what its clock is ahead of ours. */
const DRAIN_EXTRA_US = 2_000_000
/** A shutdown is sent more than once, since nothing confirms it. */
const SHUTDOWN_COPIES = 2

/**
 * Why a connection ended. `replaced`: the peer has connected again from the same address and port. `clock`: the times of its
 * packets lie too far ahead.
 */
export type EndReason = 'closed' | 'peer-closed' | 'idle' | 'replaced' | 'undecryptable' | 'clock' | 'key-unconfirmed'

/** What a connection does to the world. Its methods are called from within calls of the connection's. */
export interface ConnectionHost {
  /** Sends a datagram to the peer. The bytes are not changed afterwards. */
  transmit(datagram: Uint8Array): void
  /** Takes payloads that are due, in order. Called at most every `deliverEveryUs`. The payloads are the host's. */
  deliver(payloads: Uint8Array[]): void
  /** Called once, after the last payload. */
  ended(reason: EndReason): void
}

type State = 'open' | 'draining' | 'closing' | 'ended'

export class Connection {
  readonly session: Session
  readonly #options: ResolvedOptions
  readonly #host: ConnectionHost
  readonly #roundTrip = new RoundTrip()
  readonly #clock: PlayoutClock
  readonly #receiver: Receiver
  readonly #sender: Sender
  readonly #receiveKeys: ReceiveKeys | undefined
  readonly #sendKeys: SendKeys | undefined
  readonly #counters = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, invalid: 0, keyRefusals: 0 }
  #state: State = 'open'
  #reason: EndReason = 'closed'
  #nowUs: number
  #receivedUs: number
  #sentUs: number
  #closeByUs = Infinity
  #drainByUs = Infinity

  constructor(session: Session, options: ResolvedOptions, host: ConnectionHost, nowUs: number, slab = new Slab()) {
    this.session = session
    this.#options = options
    this.#host = host
    this.#nowUs = nowUs
    this.#receivedUs = nowUs
    this.#sentUs = nowUs
    this.#clock = new PlayoutClock(session.peerTimestamp, session.receivedUs)
    const { keys } = session
    this.#receiveKeys = keys && new ReceiveKeys(keys)
    this.#sendKeys = keys && new SendKeys(keys, options.keyRefresh)
    const link = {
      control: (packet: Uint8Array, type: number, typeSpecific: number) => this.#control(packet, type, typeSpecific),
      data: (datagram: Uint8Array) => this.#transmit(datagram),
      deliver: (payloads: Uint8Array[]) => host.deliver(payloads),
    }
    this.#receiver = new Receiver(
      {
        ...options,
        firstIndex: session.firstSequence,
        latencyUs: session.receiveLatencyUs,
        mostPayloadBytes: mostReceivedBytes(options),
      },
      { link, clock: this.#clock, roundTrip: this.#roundTrip, keys: this.#receiveKeys },
      nowUs,
    )
    this.#sender = new Sender(
      {
        ...options,
        firstIndex: session.firstSequence,
        destination: session.peerId,
        startUs: session.startUs,
        latencyUs: session.sendLatencyUs,
        flowWindow: session.flowWindow,
      },
      { link, roundTrip: this.#roundTrip, keys: this.#sendKeys, slab },
      nowUs,
    )
  }

  get peer(): PeerAddress {
    return this.session.peer
  }

  get isEnded(): boolean {
    return this.#state === 'ended'
  }

  /** Takes a datagram from the peer for this connection. Data stays in its memory: it must not be used again. */
  receive(datagram: Uint8Array, nowUs: number): void {
    if (datagram.length < HEADER_BYTES || (this.#state !== 'open' && this.#state !== 'closing')) return
    this.#nowUs = nowUs
    this.#receivedUs = nowUs
    const sentUs = this.#clock.unwrap(readTimestamp(datagram), nowUs)
    if (isControl(datagram)) this.#receiveControl(datagram, sentUs, nowUs)
    else this.#receiver.receive(datagram, sentUs, nowUs)
  }

  /**
   * Sends a payload, at most `session.payloadBytes` long, that must not change until it is acknowledged. Returns false
   * if the buffer is full or the connection is closed. `originUs`: the time that the peer's delivery keeps; now by
   * default. Follow several with `advance`.
   */
  send(payload: Uint8Array, nowUs: number, originUs = nowUs): boolean {
    return this.#push(payload, payload.length, originUs, nowUs)
  }

  /** The same for a payload of `bytes` bytes that is read from the source at `position` each time it is sent. */
  sendAt(position: number, bytes: number, nowUs: number, originUs = nowUs): boolean {
    return this.#push(position, bytes, originUs, nowUs)
  }

  /** Marks a place among the packets sent, for `hasDroppedSince`. */
  get sendMark(): number {
    return this.#sender.nextIndex
  }

  /** Whether a packet sent since the mark was given up: it was too late, or no longer in the source. */
  hasDroppedSince(mark: number): boolean {
    return this.#sender.hasDroppedFrom(mark)
  }

  #push(payload: Uint8Array | number, bytes: number, originUs: number, nowUs: number): boolean {
    if (this.#state !== 'open' || bytes > this.session.payloadBytes || bytes === 0) return false
    return this.#sender.push(payload, bytes, originUs, nowUs)
  }

  /** Does what is due by now. */
  advance(nowUs: number): void {
    this.#nowUs = nowUs
    if (this.#state === 'draining') this.#drain(nowUs)
    if (this.#state !== 'open' && this.#state !== 'closing') return
    this.#receiver.advance(nowUs)
    // Who takes the payloads may have ended the connection.
    if (this.isEnded) return
    this.#sender.advance(nowUs)
    this.#announceKey(nowUs)
    if (nowUs - this.#sentUs >= KEEPALIVE_US) this.#empty(CONTROL.keepalive, 0)
    if (this.#isClosed(nowUs)) this.#finish()
    else if (nowUs - this.#receivedUs >= this.#options.idleUs) this.#beginDrain('idle', nowUs)
    else if (this.#receiver.undecryptableForUs >= UNDECRYPTABLE_US) this.end('undecryptable')
    else if (this.#receiver.aheadForUs >= AHEAD_US) this.end('clock')
    else if (this.#sendKeys?.isExhausted === true) this.end('key-unconfirmed')
  }

  /** When `advance` is next due. It changes with each call. */
  get deadlineUs(): number {
    if (this.#state === 'ended') return Infinity
    if (this.#state === 'draining') return Math.min(this.#receiver.drainDeadlineUs, this.#drainByUs)
    const { us } = this.#roundTrip
    return Math.min(
      this.#receiver.deadlineUs,
      this.#sender.deadlineUs,
      this.#sendKeys?.deadlineUs(us) ?? Infinity,
      this.#sentUs + KEEPALIVE_US,
      this.#receivedUs + this.#options.idleUs,
      this.#closeDueUs(),
    )
  }

  /**
   * Sends nothing new, and says goodbye once the peer has acknowledged and delivered all, or the time for that is over:
   * libsrt drops what it has not delivered when the goodbye comes.
   */
  close(nowUs: number): void {
    if (this.#state === 'draining') this.end('closed')
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#reason = 'closed'
    this.#closeByUs = nowUs + this.#options.drainUs + this.session.sendLatencyUs
    this.advance(nowUs)
  }

  /** Ends at once; what is buffered is lost. The peer is told unless it has gone. */
  end(reason: EndReason): void {
    if (this.#state === 'ended') return
    if (this.#state !== 'draining') for (let copy = 0; copy < SHUTDOWN_COPIES; copy++) this.#empty(CONTROL.shutdown, 0)
    this.#state = 'ended'
    this.#host.ended(reason)
  }

  stats(nowUs: number): ConnectionStats {
    this.#receiver.rate.roll(nowUs)
    this.#sender.rate.roll(nowUs)
    return {
      sinceUs: this.session.receivedUs,
      rttUs: this.#roundTrip.us,
      rttVarianceUs: this.#roundTrip.varianceUs,
      isSecured: this.session.keys !== undefined,
      keyRefreshes: this.#receiveKeys?.refreshes ?? 0,
      keyRefusals: this.#counters.keyRefusals,
      controlSent: this.#counters.sent,
      controlSentBytes: this.#counters.sentBytes,
      controlReceived: this.#counters.received,
      controlReceivedBytes: this.#counters.receivedBytes,
      controlInvalid: this.#counters.invalid,
      receive: { ...this.#receiver.stats(), latencyUs: this.session.receiveLatencyUs, driftUs: this.#clock.driftUs },
      send: { ...this.#sender.stats(), latencyUs: this.session.sendLatencyUs },
    }
  }

  #receiveControl(packet: Uint8Array, sentUs: number, nowUs: number): void {
    this.#counters.received++
    this.#counters.receivedBytes += packet.length
    switch (readControlType(packet)) {
      case CONTROL.handshake:
        return
      case CONTROL.keepalive:
        this.#clock.addSample(sentUs, nowUs, this.#roundTrip.isMeasured ? this.#roundTrip.us : undefined, false)
        return
      case CONTROL.ack:
        return this.#receiveAck(packet, nowUs)
      case CONTROL.nak:
        this.#sender.counters.naksReceived++
        readNak(packet, (first, last) => this.#sender.lost(first, last))
        return this.#sender.advance(nowUs)
      case CONTROL.shutdown:
        return this.#beginDrain('peer-closed', nowUs)
      case CONTROL.ackAck:
        return this.#receiver.confirmAck(readTypeSpecific(packet), sentUs, nowUs)
      case CONTROL.dropRequest:
        return this.#receiveDropRequest(packet)
      case CONTROL.user:
        return this.#receiveKeyMessage(packet)
      default:
        this.#counters.invalid++
    }
  }

  #receiveAck(packet: Uint8Array, nowUs: number): void {
    const ack = parseAck(packet)
    if (ack === undefined) {
      this.#counters.invalid++
      return
    }
    this.#sender.acknowledge(ack, nowUs)
    if (ack.freePackets !== undefined) this.#empty(CONTROL.ackAck, readTypeSpecific(packet))
  }

  #receiveDropRequest(packet: Uint8Array): void {
    const request = parseDropRequest(packet)
    if (request === undefined) this.#counters.invalid++
    else this.#receiver.abandon(request.first, request.last)
  }

  #receiveKeyMessage(packet: Uint8Array): void {
    const subtype = readSubtype(packet)
    const body = packet.subarray(HEADER_BYTES)
    if (subtype === USER_SUBTYPE.keyResponse) this.#sendKeys?.confirm(body)
    else if (subtype === USER_SUBTYPE.keyRequest) this.#answerKey(body)
    else this.#counters.invalid++
  }

  /** Key material that was taken is answered with its echo, other with one word. */
  #answerKey(body: Uint8Array): void {
    const isTaken = this.#receiveKeys?.refresh(body) === true
    if (!isTaken) this.#counters.keyRefusals++
    const packet = new Uint8Array(HEADER_BYTES + (isTaken ? body.length : 4))
    if (isTaken) packet.set(body, HEADER_BYTES)
    else writeU32(packet, HEADER_BYTES, this.#receiveKeys === undefined ? KM_STATE.noSecret : KM_STATE.badSecret)
    this.#control(packet, CONTROL.user, 0, USER_SUBTYPE.keyResponse)
  }

  #announceKey(nowUs: number): void {
    const message = this.#sendKeys?.dueAnnouncement(nowUs, this.#roundTrip.us)
    if (message === undefined) return
    const packet = new Uint8Array(HEADER_BYTES + message.length)
    packet.set(message, HEADER_BYTES)
    this.#control(packet, CONTROL.user, 0, USER_SUBTYPE.keyRequest)
  }

  #isClosed(nowUs: number): boolean {
    if (this.#state !== 'closing') return false
    const isDone = this.#sender.bufferedPackets === 0 && nowUs >= this.#sender.deliveredUs
    return isDone || nowUs >= this.#closeByUs
  }

  #closeDueUs(): number {
    if (this.#state !== 'closing') return Infinity
    return this.#sender.bufferedPackets === 0 ? Math.min(this.#sender.deliveredUs, this.#closeByUs) : this.#closeByUs
  }

  #finish(): void {
    this.end(this.#reason)
  }

  /** The peer sends no more: what it has sent is delivered as it falls due. */
  #beginDrain(reason: EndReason, nowUs: number): void {
    if (this.#state === 'closing') {
      this.#state = 'draining'
      this.end('closed')
      return
    }
    // One that can still hear us learns of it.
    if (reason === 'idle') this.#empty(CONTROL.shutdown, 0)
    this.#state = 'draining'
    this.#reason = reason
    this.#drainByUs = nowUs + this.session.receiveLatencyUs + DRAIN_EXTRA_US
    this.#drain(nowUs)
  }

  #drain(nowUs: number): void {
    this.#receiver.drain(nowUs)
    if (this.#receiver.bufferedPackets === 0 || nowUs >= this.#drainByUs) this.#finish()
  }

  #empty(type: number, typeSpecific: number): void {
    this.#control(new Uint8Array(EMPTY_CONTROL_BYTES), type, typeSpecific)
  }

  #control(packet: Uint8Array, type: number, typeSpecific: number, subtype = 0): void {
    const timestamp = timestampOf(this.#nowUs - this.session.startUs)
    writeControlHeader(packet, type, this.session.peerId, timestamp, typeSpecific, subtype)
    this.#counters.sent++
    this.#counters.sentBytes += packet.length
    this.#transmit(packet)
  }

  #transmit(datagram: Uint8Array): void {
    this.#sentUs = this.#nowUs
    this.#host.transmit(datagram)
  }
}
