// The caller's side of a handshake (draft-sharabayko-srt-01, section 4.3.1): induction, conclusion, each repeated until it
// is answered.
import type { ResolvedOptions } from '../connection-options.js'
import { renderKeyMaterial } from '../crypto/key-material.js'
import { makeSessionKeys } from '../crypto/session-keys.js'
import type { SessionKeys } from '../crypto/session-keys.js'
import { readTimestamp } from '../packet/header.js'
import { timestampOf } from '../packet/sequence.js'
import type { PeerAddress } from './cookie.js'
import {
  EXTENSION,
  EXTENSION_FLAG,
  HANDSHAKE_TYPE,
  LIVE_FLAGS,
  SRT_MAGIC,
  SRT_VERSION,
  UDT_DATAGRAM,
  parseHandshake,
  parseHandshakeExtension,
  renderHandshake,
  renderHandshakeExtension,
  renderTextExtension,
} from './handshake-packet.js'
import type { Extension, Handshake } from './handshake-packet.js'
import { REJECT, rejectCodeOf } from './reject-code.js'
import { negotiateLatency, negotiatePayload } from './session.js'
import type { Session } from './session.js'

const REPEAT_US = 250_000

export interface CallOptions {
  readonly peer: PeerAddress
  readonly localId: number
  readonly firstSequence: number
  readonly streamId: string | undefined
  /** Made with `deriveKek` from the passphrase and this salt. */
  readonly secret: { readonly kek: Uint8Array; readonly salt: Uint8Array } | undefined
  readonly timeoutUs: number
  readonly connection: ResolvedOptions
}

export class CallerHandshake {
  readonly options: CallOptions
  readonly #startUs: number
  readonly #extensions: Extension[]
  readonly #keys: SessionKeys | undefined
  #cookie: number | undefined
  #sentUs = -Infinity

  /** @throws RangeError if the StreamID is too long */
  constructor(options: CallOptions, nowUs: number) {
    this.options = options
    this.#startUs = nowUs
    const { receiveLatencyUs, sendLatencyUs } = options.connection
    this.#extensions = [
      renderHandshakeExtension(EXTENSION.handshakeRequest, {
        version: SRT_VERSION,
        flags: LIVE_FLAGS,
        receiveLatencyMs: Math.round(receiveLatencyUs / 1000),
        sendLatencyMs: Math.round(sendLatencyUs / 1000),
      }),
    ]
    if (options.secret !== undefined) {
      const { session, material } = makeSessionKeys(options.secret.kek, options.secret.salt)
      this.#keys = session
      this.#extensions.push({ type: EXTENSION.keyRequest, body: renderKeyMaterial(material) })
    }
    if (options.streamId !== undefined && options.streamId !== '')
      this.#extensions.push(renderTextExtension(EXTENSION.streamId, options.streamId))
  }

  get deadlineUs(): number {
    return Math.min(this.#sentUs + REPEAT_US, this.#startUs + this.options.timeoutUs)
  }

  /** Returns a datagram to send now, undefined if nothing is due, or a reject code when the time is over. */
  advance(nowUs: number): Uint8Array | number | undefined {
    if (nowUs >= this.#startUs + this.options.timeoutUs) return REJECT.timeout
    if (nowUs < this.#sentUs + REPEAT_US) return undefined
    this.#sentUs = nowUs
    return this.#cookie === undefined ? this.#render(4, 0, nowUs) : this.#render(5, this.#cookie, nowUs)
  }

  /** Takes a handshake packet from the peer. Returns the session, a reject code, or undefined. */
  receive(packet: Uint8Array, nowUs: number): Session | number | undefined {
    const handshake = parseHandshake(packet)
    if (handshake === undefined) return undefined
    const code = rejectCodeOf(handshake.type)
    if (code !== undefined) return code
    if (handshake.type === HANDSHAKE_TYPE.induction) {
      if (handshake.version < 5 || handshake.extensionField !== SRT_MAGIC) return REJECT.version
      if (this.#cookie === undefined) this.#sentUs = -Infinity
      this.#cookie ??= handshake.cookie
      return undefined
    }
    if (handshake.type !== HANDSHAKE_TYPE.conclusion || this.#cookie === undefined) return undefined
    return this.#conclude(handshake, readTimestamp(packet), nowUs)
  }

  #conclude(handshake: Handshake, peerTimestamp: number, nowUs: number): Session | number {
    const { connection, peer, localId, streamId } = this.options
    const find = (type: number) => handshake.extensions.find((extension) => extension.type === type)
    const response = find(EXTENSION.handshakeResponse)
    const extension = response && parseHandshakeExtension(response)
    if (extension === undefined || handshake.version !== 5) return REJECT.rogue
    if (find(EXTENSION.filter) !== undefined) return REJECT.filter
    const refusal = this.#refusedSecret(find(EXTENSION.keyResponse)?.body)
    if (refusal !== undefined) return refusal
    return {
      ...{ peer, localId, streamId, peerTimestamp },
      peerId: handshake.socketId,
      // The answer repeats the number of the caller.
      firstSequence: this.options.firstSequence,
      ...negotiateLatency(connection, extension),
      payloadBytes: negotiatePayload(connection, handshake, peer),
      flowWindow: handshake.flowWindow,
      peerVersion: extension.version,
      keys: this.#keys,
      startUs: this.#startUs,
      receivedUs: nowUs,
    }
  }

  /** A listener that has another passphrase, or none, may answer with one word instead of the echo. */
  #refusedSecret(response: Uint8Array | undefined): number | undefined {
    if (this.#keys === undefined) return response === undefined ? undefined : REJECT.unsecure
    if (response === undefined) return REJECT.unsecure
    const request = this.#extensions.find(({ type }) => type === EXTENSION.keyRequest)?.body
    const isEcho = request !== undefined && request.length === response.length
    return isEcho && request.every((byte, at) => byte === response[at]) ? undefined : REJECT.badSecret
  }

  #render(version: number, cookie: number, nowUs: number): Uint8Array {
    const { connection, peer, localId, firstSequence, secret } = this.options
    const isConclusion = version === 5
    const flags =
      EXTENSION_FLAG.handshake |
      (secret === undefined ? 0 : EXTENSION_FLAG.key) |
      (this.#extensions.some(({ type }) => type === EXTENSION.streamId) ? EXTENSION_FLAG.config : 0)
    return renderHandshake(
      {
        ...{ version, firstSequence, cookie },
        encryption: isConclusion && secret !== undefined ? secret.kek.length / 8 : 0,
        extensionField: isConclusion ? flags : UDT_DATAGRAM,
        mtu: connection.mtu,
        flowWindow: connection.bufferPackets,
        type: isConclusion ? HANDSHAKE_TYPE.conclusion : HANDSHAKE_TYPE.induction,
        socketId: localId,
        extensions: isConclusion ? this.#extensions : [],
      },
      { destination: 0, timestamp: timestampOf(nowUs - this.#startUs), peer: peer.address },
    )
  }
}
