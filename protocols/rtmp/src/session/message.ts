// Types of messages (RTMP 1.0, clauses 5.4, 6.2 and 7.1), user control events, and the chunk streams of what we send.

export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  amf3Data: 15,
  amf3Command: 17,
  data: 18,
  command: 20,
  aggregate: 22,
} as const

export type MediaType = typeof MESSAGE.audio | typeof MESSAGE.video | typeof MESSAGE.data

/** Clause 7.1.7. */
export const USER_CONTROL = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const

/** Some encoders wait for answers on these chunk streams. */
export const CHUNK_STREAM = {
  control: 2,
  command: 3,
  status: 5,
  audio: 6,
  video: 7,
  /** Of a client, for commands of a message stream. */
  streamCommand: 8,
} as const

/** A message that was received. The body is valid during the call. */
export interface Message {
  readonly type: number
  readonly messageStreamId: number
  /** Unsigned, 32 bits. */
  readonly timestampMs: number
  readonly body: Uint8Array
}
