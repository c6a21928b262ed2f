// The handshake packet and its extensions (draft-sharabayko-srt-01, section 3.2.1).
import { CONTROL, HEADER_BYTES, readU16, readU32, writeControlHeader, writeU16, writeU32 } from '../packet/header.js'

export const HANDSHAKE_TYPE = { induction: 1, conclusion: 0xffff_ffff } as const
/** In the extension field of an induction answer: the peer speaks handshake 5. */
export const SRT_MAGIC = 0x4a17
/** In the extension field of an induction: datagram socket. */
export const UDT_DATAGRAM = 2
/** Flags in the extension field of a conclusion. */
export const EXTENSION_FLAG = { handshake: 1, key: 2, config: 4 } as const
export const EXTENSION = {
  handshakeRequest: 1,
  handshakeResponse: 2,
  keyRequest: 3,
  keyResponse: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const
/** Flags of a handshake extension (section 3.2.1.1.1). */
export const SRT_FLAG = {
  tsbpdSend: 0x01,
  tsbpdReceive: 0x02,
  crypt: 0x04,
  tooLateDrop: 0x08,
  periodicNak: 0x10,
  retransmitFlag: 0x20,
  stream: 0x40,
} as const
/** All that live mode has. Packet filters (0x80) are refused, hence not claimed. */
export const LIVE_FLAGS = 0x3f
/** The version that we announce: 1.5.1. */
export const SRT_VERSION = 0x01_05_01

const BODY_BYTES = 48
const IP_AT = HEADER_BYTES + 32
const MAX_STREAM_ID_BYTES = 512
/** More of them than any peer sends; the rest is not read. */
const MAX_EXTENSIONS = 16

export interface Handshake {
  readonly version: number
  /** Key length / 8, as the sender wishes it; that of the key material counts. */
  readonly encryption: number
  readonly extensionField: number
  readonly firstSequence: number
  readonly mtu: number
  readonly flowWindow: number
  readonly type: number
  readonly socketId: number
  readonly cookie: number
  readonly extensions: readonly Extension[]
}

export interface Extension {
  readonly type: number
  /** A multiple of four bytes; a view of the datagram. */
  readonly body: Uint8Array
}

/** The body of a handshake request or response extension. */
export interface HandshakeExtension {
  readonly version: number
  readonly flags: number
  readonly receiveLatencyMs: number
  readonly sendLatencyMs: number
}

/** Returns undefined for packets that are too short. Extensions that run past the end are left out. */
export function parseHandshake(packet: Uint8Array): Handshake | undefined {
  if (packet.length < HEADER_BYTES + BODY_BYTES) return undefined
  const at = HEADER_BYTES
  return {
    version: readU32(packet, at),
    encryption: readU16(packet, at + 4),
    extensionField: readU16(packet, at + 6),
    firstSequence: readU32(packet, at + 8) & 0x7fff_ffff,
    mtu: readU32(packet, at + 12),
    flowWindow: readU32(packet, at + 16),
    type: readU32(packet, at + 20),
    socketId: readU32(packet, at + 24),
    cookie: readU32(packet, at + 28),
    extensions: parseExtensions(packet),
  }
}

function parseExtensions(packet: Uint8Array): Extension[] {
  const extensions: Extension[] = []
  let at = HEADER_BYTES + BODY_BYTES
  while (at + 4 <= packet.length && extensions.length < MAX_EXTENSIONS) {
    const end = at + 4 + readU16(packet, at + 2) * 4
    if (end > packet.length) break
    extensions.push({ type: readU16(packet, at), body: packet.subarray(at + 4, end) })
    at = end
  }
  return extensions
}

export function renderHandshake(
  handshake: Handshake,
  { destination, timestamp, peer }: { destination: number; timestamp: number; peer: string },
): Uint8Array {
  const size = handshake.extensions.reduce((sum, { body }) => sum + 4 + body.length, HEADER_BYTES + BODY_BYTES)
  const packet = new Uint8Array(size)
  writeControlHeader(packet, CONTROL.handshake, destination, timestamp)
  let at = HEADER_BYTES
  writeU32(packet, at, handshake.version)
  writeU16(packet, at + 4, handshake.encryption)
  writeU16(packet, at + 6, handshake.extensionField)
  writeU32(packet, at + 8, handshake.firstSequence)
  writeU32(packet, at + 12, handshake.mtu)
  writeU32(packet, at + 16, handshake.flowWindow)
  writeU32(packet, at + 20, handshake.type)
  writeU32(packet, at + 24, handshake.socketId)
  writeU32(packet, at + 28, handshake.cookie)
  writeIpv4(packet, peer)
  at += BODY_BYTES
  for (const { type, body } of handshake.extensions) {
    writeU16(packet, at, type)
    writeU16(packet, at + 2, body.length / 4)
    packet.set(body, at + 4)
    at += 4 + body.length
  }
  return packet
}

/** The peer's address, bytes reversed as libsrt writes them. IPv6 stays zero: nobody reads the field. */
function writeIpv4(packet: Uint8Array, address: string): void {
  const parts = address.split('.')
  if (parts.length === 4) for (const [at, part] of parts.entries()) packet[IP_AT + 3 - at] = Number(part)
}

export function renderHandshakeExtension(type: number, extension: HandshakeExtension): Extension {
  const body = new Uint8Array(12)
  writeU32(body, 0, extension.version)
  writeU32(body, 4, extension.flags)
  writeU16(body, 8, Math.min(extension.receiveLatencyMs, 0xffff))
  writeU16(body, 10, Math.min(extension.sendLatencyMs, 0xffff))
  return { type, body }
}

export function parseHandshakeExtension({ body }: Extension): HandshakeExtension | undefined {
  if (body.length < 12) return undefined
  return {
    version: readU32(body, 0),
    flags: readU32(body, 4),
    receiveLatencyMs: readU16(body, 8),
    sendLatencyMs: readU16(body, 10),
  }
}

/** Texts have their bytes reversed inside each word, and zeros at the end. */
export function renderTextExtension(type: number, text: string): Extension {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > MAX_STREAM_ID_BYTES) throw new RangeError(`${bytes.length} bytes: at most ${MAX_STREAM_ID_BYTES}`)
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  padded.set(bytes)
  return { type, body: reverseWords(padded) }
}

/** Returns undefined if the text is longer than 512 bytes, or not UTF-8. */
export function parseTextExtension({ body }: Extension): string | undefined {
  if (body.length > MAX_STREAM_ID_BYTES) return undefined
  const bytes = reverseWords(body)
  const end = bytes.indexOf(0)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end))
  } catch {
    return undefined
  }
}

function reverseWords(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, at) => bytes[(at & ~3) + 3 - (at & 3)] ?? 0)
}
