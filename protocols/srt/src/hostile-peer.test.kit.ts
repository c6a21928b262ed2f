// Hand-made packets of a peer that is connected.
import { KEY, POSITION, writeControlHeader, writeU32 } from './packet/header.js'
import { CALLER, LISTENER, connectPair } from './simulated-network.test.kit.js'
import type { Pair, PairOptions } from './simulated-network.test.kit.js'

const TO = { address: LISTENER, port: 1 }

export function connect(options: PairOptions = {}): Pair {
  return connectPair({ caller: { receiveLatencyUs: 100_000 }, listener: { bufferPackets: 256 }, ...options })
}

/** A data packet to the listener; `offset` counts from the first sequence number. */
export function dataPacket(
  { listener, simulation }: Pair,
  offset: number,
  options: {
    key?: number
    position?: number
    messageNumber?: number
    payload?: ArrayLike<number>
    aheadUs?: number
  } = {},
): Uint8Array {
  const { session } = listener.connection
  const { key = KEY.none, position = POSITION.solo, messageNumber = offset + 1, aheadUs = 0 } = options
  const { payload = [0, 0, 0, offset] } = options
  const packet = new Uint8Array(16 + payload.length)
  writeU32(packet, 0, (session.firstSequence + offset) & 0x7fff_ffff)
  writeU32(packet, 4, (((position << 6) | (key << 3)) << 24) | messageNumber)
  writeU32(packet, 8, session.peerTimestamp + (simulation.nowUs - session.receivedUs) + aheadUs)
  writeU32(packet, 12, session.localId)
  packet.set(payload, 16)
  return packet
}

export function controlPacket({ listener, simulation }: Pair, type: number, body: Uint8Array): Uint8Array {
  const { session } = listener.connection
  writeControlHeader(body, type, session.localId, simulation.nowUs - session.receivedUs)
  return body
}

export function inject(pair: Pair, packet: Uint8Array): void {
  pair.simulation.inject(CALLER, TO, packet)
}
