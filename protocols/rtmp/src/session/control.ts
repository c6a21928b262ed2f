// Protocol control messages and user control messages (RTMP 1.0, clauses 5.4 and 7.1.7): rendered, and read.
import { renderChunks } from '../chunk/chunk-writer.js'
import { CHUNK_STREAM, MESSAGE } from './message.js'

/** Clause 5.4.5: the limit may be passed by what the peer chooses. */
const DYNAMIC = 2
/** Control messages fit into a chunk of any size that is in use. */
const ONE_CHUNK = 128

export function renderSetChunkSize(size: number): Uint8Array {
  return renderControl(MESSAGE.setChunkSize, u32(size))
}

export function renderAcknowledgement(sequence: number): Uint8Array {
  return renderControl(MESSAGE.acknowledgement, u32(sequence))
}

export function renderWindowAckSize(size: number): Uint8Array {
  return renderControl(MESSAGE.windowAckSize, u32(size))
}

export function renderSetPeerBandwidth(size: number): Uint8Array {
  return renderControl(MESSAGE.setPeerBandwidth, Buffer.concat([u32(size), Uint8Array.of(DYNAMIC)]))
}

export function renderUserControl(event: number, ...values: readonly number[]): Uint8Array {
  return renderControl(
    MESSAGE.userControl,
    Buffer.concat([Uint8Array.of(event >> 8, event & 0xff), ...values.map(u32)]),
  )
}

/** The number at the start of a control message; undefined if the message is too short. */
export function readControlValue(body: Uint8Array, at = 0): number | undefined {
  if (body.length < at + 4) return undefined
  return ((body[at]! << 24) | (body[at + 1]! << 16) | (body[at + 2]! << 8) | body[at + 3]!) >>> 0
}

export function readUserControlEvent(body: Uint8Array): number | undefined {
  return body.length < 2 ? undefined : (body[0]! << 8) | body[1]!
}

function renderControl(type: number, body: Uint8Array): Uint8Array {
  const { control: chunkStreamId } = CHUNK_STREAM
  return renderChunks({ type, chunkStreamId, messageStreamId: 0, timestampMs: 0, body }, ONE_CHUNK)
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
