// Takes the body of a response out of the bytes of its connection.

export interface BodyDecoder {
  /** The body has ended before the connection. */
  readonly isComplete: boolean
  /** The body ends with the connection, and not otherwise. */
  readonly endsWithConnection: boolean
  /** Called with bytes of the connection; passes on those of the body. They are valid only during the call. */
  push(bytes: Uint8Array, onBytes: (part: Uint8Array) => void): void
}
