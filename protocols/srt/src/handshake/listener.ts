// The listener's side of a handshake (draft-sharabayko-srt-01, section 4.3.1). No state is kept before a conclusion with a
// valid cookie; then the host decides, as late as it likes, and the answer is repeated with each repeated conclusion.
import type { ResolvedOptions } from '../connection-options.js'
import { unwrapKeys } from '../crypto/key-material.js'
import type { KeyLength } from '../crypto/key-material.js'
import type { SessionKeys } from '../crypto/session-keys.js'
import type { EndpointCounters } from '../endpoint-stats.js'
import { EMPTY_CONTROL_BYTES } from '../packet/control.js'
import { CONTROL, readTimestamp, writeControlHeader } from '../packet/header.js'
import { timestampOf } from '../packet/sequence.js'
import { Answers, conclusionKey } from './answers.js'
import { readConclusion } from './conclusion.js'
import type { Conclusion } from './conclusion.js'
import { isValidCookie, makeCookie } from './cookie.js'
import type { PeerAddress } from './cookie.js'
import {
  EXTENSION,
  EXTENSION_FLAG,
  HANDSHAKE_TYPE,
  LIVE_FLAGS,
  SRT_MAGIC,
  SRT_VERSION,
  parseHandshake,
  renderHandshake,
  renderHandshakeExtension,
} from './handshake-packet.js'
import type { Extension, Handshake } from './handshake-packet.js'
import { HandshakeBudget } from './handshake-budget.js'
import { REJECT, rejectTypeOf } from './reject-code.js'
import { negotiateLatency, negotiatePayload } from './session.js'
import type { Session } from './session.js'

export interface ListenerOptions {
  /** Secret of the cookies: random, at least 16 bytes. */
  readonly cookieSecret: Uint8Array
  /** Announced to callers that have a passphrase and no key length of their own; none by default. */
  readonly keyLength?: KeyLength
  /** Most conclusions that wait for a decision at one time, 256 by default. */
  readonly maxPending?: number
}

/** A conclusion that waits for the host's decision. */
export interface PendingConclusion extends Conclusion {
  readonly key: string
  readonly peer: PeerAddress
  readonly peerTimestamp: number
  readonly receivedUs: number
}

/** The host's passphrase for a connection: `kek` is derived from it for the caller's salt and key length. */
export interface AcceptSecret {
  readonly kek: Uint8Array | undefined
}

export interface ListenerLink {
  transmit(datagram: Uint8Array, peer: PeerAddress): void
  /** A caller was refused before the host was asked. */
  refused(peer: PeerAddress, code: number): void
  readonly counters: EndpointCounters
}

/** In each 10 ms: far more than callers send, and less than a tenth of a core. Two digests of some bytes look at a cookie. */
const INDUCTIONS = 50
const COOKIES = 200
const CONCLUSIONS = 50

export class ListenerHandshake {
  readonly #options: ListenerOptions
  readonly #link: ListenerLink
  readonly #answers = new Answers()
  /** One each: callers with a cookie get on in a flood of inductions, and in one of forged cookies. */
  readonly #inductions = new HandshakeBudget(INDUCTIONS)
  readonly #cookies = new HandshakeBudget(COOKIES)
  readonly #conclusions = new HandshakeBudget(CONCLUSIONS)

  constructor(options: ListenerOptions, link: ListenerLink) {
    this.#options = options
    this.#link = link
  }

  /** Takes a handshake packet that is for no connection. Returns a new conclusion, to be accepted or rejected. */
  receive(packet: Uint8Array, peer: PeerAddress, nowUs: number): PendingConclusion | undefined {
    const { counters } = this.#link
    const handshake = parseHandshake(packet)
    if (handshake?.type === HANDSHAKE_TYPE.induction) {
      if (this.#inductions.take(peer.address, nowUs)) this.#answerInduction(handshake, packet, peer, nowUs)
      else counters.passedOver++
    } else if (handshake?.type === HANDSHAKE_TYPE.conclusion) {
      if (this.#cookies.take(peer.address, nowUs)) return this.#conclude(handshake, packet, peer, nowUs)
      counters.passedOver++
    } else counters.malformed++
    return undefined
  }

  #conclude(handshake: Handshake, packet: Uint8Array, peer: PeerAddress, nowUs: number): PendingConclusion | undefined {
    const { counters } = this.#link
    if (!isValidCookie(this.#options.cookieSecret, peer, nowUs, handshake.cookie)) {
      counters.badCookies++
      return undefined
    }
    if (!this.#conclusions.take(peer.address, nowUs)) {
      counters.passedOver++
      return undefined
    }
    counters.conclusions++
    const key = conclusionKey(peer, handshake.socketId)
    if (this.#answers.has(key, nowUs)) {
      counters.repeatedConclusions++
      const answer = this.#answers.find(key, nowUs)
      if (answer !== undefined) this.#link.transmit(answer, peer)
      return undefined
    }
    return this.#begin({ key, handshake, peer, peerTimestamp: readTimestamp(packet), receivedUs: nowUs })
  }

  /** Returns the session, or the code with which the caller was rejected because of its secret. */
  accept(
    pending: PendingConclusion,
    choice: { secret: AcceptSecret | undefined; localId: number; connection: ResolvedOptions },
    nowUs: number,
  ): Session | number {
    const { handshake, extension, peer, receivedUs, peerTimestamp, streamId } = pending
    const keys = sessionKeysOf(pending, choice.secret)
    if (typeof keys === 'number') {
      this.reject(pending, keys, nowUs)
      return keys
    }
    const session: Session = {
      ...{ peer, receivedUs, peerTimestamp, streamId, keys },
      localId: choice.localId,
      peerId: handshake.socketId,
      firstSequence: handshake.firstSequence,
      ...negotiateLatency(choice.connection, extension),
      payloadBytes: negotiatePayload(choice.connection, handshake, peer),
      flowWindow: handshake.flowWindow,
      peerVersion: extension.version,
      startUs: receivedUs,
    }
    const datagram = renderAcceptance(pending, session, choice.connection, nowUs)
    this.#answers.settle(pending.key, { datagram, startUs: session.startUs }, nowUs, true)
    this.#link.transmit(datagram, peer)
    return session
  }

  reject(pending: PendingConclusion, code: number, nowUs: number): void {
    const datagram = this.#renderRejection(pending, code, nowUs)
    this.#answers.settle(pending.key, { datagram, startUs: pending.receivedUs }, nowUs, false)
    this.#link.transmit(datagram, pending.peer)
  }

  /** The connection of this session has ended. */
  ended({ peer, peerId }: Session, nowUs: number): void {
    this.#answers.end(conclusionKey(peer, peerId), nowUs)
  }

  #answerInduction(handshake: Handshake, packet: Uint8Array, peer: PeerAddress, nowUs: number): void {
    this.#link.counters.inductions++
    const answer: Handshake = {
      ...handshake,
      version: 5,
      encryption: (this.#options.keyLength ?? 0) / 8,
      extensionField: SRT_MAGIC,
      cookie: makeCookie(this.#options.cookieSecret, peer, nowUs),
      extensions: [],
    }
    const header = { destination: handshake.socketId, timestamp: readTimestamp(packet), peer: peer.address }
    this.#link.transmit(renderHandshake(answer, header), peer)
  }

  #begin(begun: Omit<PendingConclusion, keyof Conclusion> & { handshake: Handshake }): PendingConclusion | undefined {
    const { key, handshake, peer, receivedUs } = begun
    if (handshake.version < 5) {
      this.#refuseOld(handshake, peer)
      return undefined
    }
    const conclusion =
      this.#answers.pending >= (this.#options.maxPending ?? 256) ? REJECT.backlog : readConclusion(handshake)
    if (typeof conclusion !== 'number') {
      this.#answers.begin(key)
      return { ...conclusion, ...begun }
    }
    const datagram = this.#renderRejection(begun, conclusion, receivedUs)
    // An overload passes: the next repetition is looked at again.
    if (conclusion !== REJECT.backlog) this.#answers.settle(key, { datagram, startUs: receivedUs }, receivedUs, false)
    this.#link.transmit(datagram, peer)
    this.#link.refused(peer, conclusion)
    return undefined
  }

  /** Handshake 4 takes a rejecting handshake for a success: it is told by a shutdown. */
  #refuseOld(handshake: Handshake, peer: PeerAddress): void {
    const packet = new Uint8Array(EMPTY_CONTROL_BYTES)
    writeControlHeader(packet, CONTROL.shutdown, handshake.socketId, 0)
    this.#link.transmit(packet, peer)
    this.#link.refused(peer, REJECT.version)
  }

  #renderRejection(
    { handshake, peer, receivedUs }: Pick<PendingConclusion, 'handshake' | 'peer' | 'receivedUs'>,
    code: number,
    nowUs: number,
  ): Uint8Array {
    return renderHandshake(
      { ...handshake, version: 5, encryption: 0, extensionField: 0, type: rejectTypeOf(code), extensions: [] },
      { destination: handshake.socketId, timestamp: timestampOf(nowUs - receivedUs), peer: peer.address },
    )
  }
}

/** Returns the keys, undefined for a plain connection, or the code of the refusal. */
function sessionKeysOf(
  { material }: PendingConclusion,
  secret: AcceptSecret | undefined,
): SessionKeys | number | undefined {
  if (secret === undefined) return material === undefined ? undefined : REJECT.unsecure
  if (material === undefined) return REJECT.unsecure
  const keys = secret.kek && unwrapKeys(material, secret.kek)
  return keys === undefined || secret.kek === undefined
    ? REJECT.badSecret
    : { kek: secret.kek, salt: material.salt, keys }
}

function renderAcceptance(
  { handshake, materialMessage }: PendingConclusion,
  session: Session,
  options: ResolvedOptions,
  nowUs: number,
): Uint8Array {
  const extensions: Extension[] = [
    renderHandshakeExtension(EXTENSION.handshakeResponse, {
      version: SRT_VERSION,
      flags: LIVE_FLAGS,
      receiveLatencyMs: Math.round(session.receiveLatencyUs / 1000),
      sendLatencyMs: Math.round(session.sendLatencyUs / 1000),
    }),
  ]
  const echo = session.keys && materialMessage
  if (echo !== undefined) extensions.push({ type: EXTENSION.keyResponse, body: echo })
  return renderHandshake(
    {
      ...handshake,
      encryption: (session.keys?.kek.length ?? 0) / 8,
      extensionField: EXTENSION_FLAG.handshake | (echo === undefined ? 0 : EXTENSION_FLAG.key),
      mtu: options.mtu,
      flowWindow: options.bufferPackets,
      socketId: session.localId,
      extensions,
    },
    {
      destination: handshake.socketId,
      timestamp: timestampOf(nowUs - session.startUs),
      peer: session.peer.address,
    },
  )
}
