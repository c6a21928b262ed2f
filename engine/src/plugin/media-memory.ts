// Memory for media that an output keeps, and sends in answer to requests: segments, for example.
import type { Writable } from 'node:stream'
import type { Session } from './audience.js'

/** Blocks of memory that are used again, since nothing that is sent from them can still be on its way. */
export interface MediaMemory {
  /** Size of all blocks, those that are only kept for reuse included. */
  readonly bytes: number
  /**
   * Copies the parts, one after the other. Undefined if they do not fit: release something older, and try again.
   * Streams that are still being sent released media are cut if there is no other room, oldest media first.
   */
  keep(parts: readonly Uint8Array[]): KeptMedia | undefined
  /** Another limit. Media that is kept stays: while it is more, nothing is, and what is released is given back. */
  resize(limitBytes: number): void
}

export interface KeptMedia {
  readonly length: number
  /**
   * Writes the bytes from `from` (by default 0) up to `to` (exclusive, by default all), and counts them for the session.
   * It ends the stream only if `ends` says so. Resolves when the stream has passed them on: true, or false if the client left, took
   * nothing for 90 s, or is cut because the memory is needed; its stream is destroyed then. Nothing is sent, and the
   * result is false, if the media has been released, or is being sent to this stream. Never rejects.
   */
  sendTo(stream: Writable, options?: SendOptions): Promise<boolean>
  /** The output no longer needs it. Its memory is used again when nothing is being sent from it. Safe twice. */
  release(): void
}

export interface SendOptions {
  readonly session?: Session
  readonly from?: number
  readonly to?: number
  /** Called once before the first byte, when it is certain that the media is there. */
  readonly onStart?: () => void
  /** The stream ends behind the last byte, which costs less than to end it later. By default it does not. */
  readonly ends?: boolean
}
