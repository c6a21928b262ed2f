// The header of all SRT packets: 16 bytes, big endian (draft-sharabayko-srt-01, section 3).

export const HEADER_BYTES = 16

/** Types of control packets (section 3.2). */
export const CONTROL = {
  handshake: 0,
  keepalive: 1,
  ack: 2,
  nak: 3,
  shutdown: 5,
  ackAck: 6,
  dropRequest: 7,
  user: 0x7fff,
} as const

/** Subtypes of user-defined control packets: key material outside the handshake. */
export const USER_SUBTYPE = { keyRequest: 3, keyResponse: 4 } as const

/** The key flags of a data packet (section 3.1). */
export const KEY = { none: 0, even: 1, odd: 2, both: 3 } as const

/** The position of a packet in its message. */
export const POSITION = { middle: 0, last: 1, first: 2, solo: 3 } as const

export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Readers of the header. The caller has checked that there are 16 bytes. */
export function isControl(packet: Uint8Array): boolean {
  return (packet[0]! & 0x80) !== 0
}

export function readControlType(packet: Uint8Array): number {
  return readU16(packet, 0) & 0x7fff
}

export function readSubtype(packet: Uint8Array): number {
  return readU16(packet, 2)
}

export function readSequence(packet: Uint8Array): number {
  return readU32(packet, 0) & 0x7fff_ffff
}

export function readPosition(packet: Uint8Array): number {
  return packet[4]! >>> 6
}

export function readKey(packet: Uint8Array): number {
  return (packet[4]! >>> 3) & 3
}

export function isRetransmitted(packet: Uint8Array): boolean {
  return (packet[4]! & 0x04) !== 0
}

export function readMessageNumber(packet: Uint8Array): number {
  return readU32(packet, 4) & 0x03ff_ffff
}

/** The second word of a control packet: the number of an ACK, the message number of a drop request. */
export function readTypeSpecific(packet: Uint8Array): number {
  return readU32(packet, 4)
}

export function readTimestamp(packet: Uint8Array): number {
  return readU32(packet, 8)
}

export function writeTimestamp(packet: Uint8Array, timestamp: number): void {
  writeU32(packet, 8, timestamp)
}

export function readDestination(packet: Uint8Array): number {
  return readU32(packet, 12)
}

export interface DataHeader {
  readonly sequence: number
  readonly messageNumber: number
  readonly key: number
  readonly isRetransmitted: boolean
  readonly timestamp: number
  readonly destination: number
}

/** Writes the header of a message of one packet, as live mode sends them all. */
export function writeDataHeader(packet: Uint8Array, header: DataHeader): void {
  writeU32(packet, 0, header.sequence)
  const flags = (POSITION.solo << 6) | (header.key << 3) | (header.isRetransmitted ? 0x04 : 0)
  writeU32(packet, 4, ((flags << 24) | header.messageNumber) >>> 0)
  writeU32(packet, 8, header.timestamp)
  writeU32(packet, 12, header.destination)
}

export function writeControlHeader(
  packet: Uint8Array,
  type: number,
  destination: number,
  timestamp: number,
  typeSpecific = 0,
  subtype = 0,
): void {
  writeU16(packet, 0, 0x8000 | type)
  writeU16(packet, 2, subtype)
  writeU32(packet, 4, typeSpecific)
  writeU32(packet, 8, timestamp)
  writeU32(packet, 12, destination)
}
