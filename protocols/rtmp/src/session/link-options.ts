// What both sides of a connection may choose.
import type { DropLimits } from '../send/drop-policy.js'

export interface LinkOptions {
  /** Of what we send, in bytes. */
  readonly chunkSize: number
  /** After how many bytes the peer has to acknowledge. */
  readonly ackWindow: number
  /** Of one message, in bytes. */
  readonly maxMessage: number
  /** Of the memory for all messages that are unfinished, in bytes. */
  readonly maxUnfinished: number
  /** Of the media that wait to be sent. */
  readonly queue: DropLimits
  readonly handshakeTimeoutMs: number
  /** A connection may be without a publisher and a player for so long. */
  readonly setupTimeoutMs: number
  /** Between two pings; 0: none. */
  readonly pingMs: number
  /** Without any byte from the peer after a ping. */
  readonly pingTimeoutMs: number
  /** The transport may take nothing for so long. */
  readonly writeTimeoutMs: number
}

export const LINK_DEFAULTS: LinkOptions = {
  chunkSize: 4096,
  ackWindow: 2_500_000,
  maxMessage: 16 * 1024 * 1024,
  maxUnfinished: 32 * 1024 * 1024,
  queue: { maxBytes: 8 * 1024 * 1024, maxMs: 5000 },
  handshakeTimeoutMs: 10_000,
  setupTimeoutMs: 30_000,
  pingMs: 30_000,
  pingTimeoutMs: 30_000,
  writeTimeoutMs: 30_000,
}
