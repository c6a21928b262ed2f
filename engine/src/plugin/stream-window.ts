// The newest bytes of a stream, kept once for all viewers of an output that sends them itself.

/** The window ends at whichever bound is reached first. */
export interface StreamWindowBounds {
  readonly durationMs: number
  /** Memory, not only the bytes of the stream. */
  readonly sizeBytes: number
}

/** Viewers are positions in it: offsets from the beginning of the stream. Its memory is used again. */
export interface StreamWindow {
  /** Offset of the oldest byte; equal to `nextOffset` if there is none. */
  readonly firstOffset: number
  /** Offset of the next byte. */
  readonly nextOffset: number
  /** Memory that it holds. */
  readonly retainedBytes: number
  /** Appends a copy of the bytes. Returns the offset of the first one. */
  push(bytes: Uint8Array, receivedAtMs: number): number
  /**
   * Returns the bytes at this offset, all of which were pushed together; undefined if they are not, or no longer, there.
   * They are valid until the next `push`.
   */
  read(offset: number, length: number): Uint8Array | undefined
  /** Takes effect at the next `push`. */
  setBounds(bounds: StreamWindowBounds): void
}
