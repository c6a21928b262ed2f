// What both sides have agreed on when a handshake is done.
import type { SessionKeys } from '../crypto/session-keys.js'
import type { ResolvedOptions } from '../connection-options.js'
import type { PeerAddress } from './cookie.js'
import type { Handshake, HandshakeExtension } from './handshake-packet.js'

/** IPv4, UDP and SRT headers; those of IPv6 are 20 bytes longer. */
const HEADERS_BYTES = 44
const IPV6_EXTRA_BYTES = 20
/** Peers may send what fits in this MTU, though ours is smaller: some keep to their own. */
const USUAL_MTU = 1500
/** Payloads are not made smaller than that, whatever the peer announces. */
const LEAST_PAYLOAD_BYTES = 188

export interface Session {
  readonly peer: PeerAddress
  readonly localId: number
  readonly peerId: number
  /** Both directions begin with it. */
  readonly firstSequence: number
  readonly receiveLatencyUs: number
  readonly sendLatencyUs: number
  /** Largest payload that both sides' MTU allows. */
  readonly payloadBytes: number
  /** Packets that the peer can take. */
  readonly flowWindow: number
  /** libsrt's notation: 0x010501 is 1.5.1. */
  readonly peerVersion: number
  readonly streamId: string | undefined
  readonly keys: SessionKeys | undefined
  /** Our time at our timestamp 0. */
  readonly startUs: number
  /** Timestamp of the peer's handshake, and our time when it came: where its clock begins. */
  readonly peerTimestamp: number
  readonly receivedUs: number
}

/** Each direction has the larger of the receiver's latency and the sender's wish, which is limited. */
export function negotiateLatency(
  options: ResolvedOptions,
  peer: HandshakeExtension,
): { receiveLatencyUs: number; sendLatencyUs: number } {
  const { receiveLatencyUs, sendLatencyUs, maxLatencyUs } = options
  return {
    receiveLatencyUs: Math.max(receiveLatencyUs, Math.min(maxLatencyUs, peer.sendLatencyMs * 1000)),
    sendLatencyUs: Math.max(sendLatencyUs, Math.min(maxLatencyUs, peer.receiveLatencyMs * 1000)),
  }
}

export function negotiatePayload(options: ResolvedOptions, handshake: Handshake, peer: PeerAddress): number {
  const headers = HEADERS_BYTES + (peer.address.includes(':') ? IPV6_EXTRA_BYTES : 0)
  return Math.max(LEAST_PAYLOAD_BYTES, Math.min(options.mtu, handshake.mtu) - headers)
}

/** Largest payload that is taken from a peer. libsrt reckons with the headers of IPv4 over IPv6, too. */
export function mostReceivedBytes({ mtu }: ResolvedOptions): number {
  return Math.max(USUAL_MTU, mtu) - HEADERS_BYTES
}
