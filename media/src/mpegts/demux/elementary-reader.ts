// What takes the elementary stream of one PID, and cuts it into frames.
export interface ElementaryReader {
  /** A PES packet begins; times of 33 bits, -1 without any. `isIndicated`: random_access_indicator is set. */
  begin(pts90k: number, dts90k: number, isIndicated: boolean): void
  /** The next bytes of the PES packet. Copies what it keeps. */
  push(bytes: Uint8Array, from: number, end: number): void
  /** The PES packet is complete. */
  end(): void
  /** Bytes are missing from here on: what is open is dropped, and reading goes on with the next PES packet. */
  damage(): void
  /** Nothing follows: what is open is complete. */
  flush(): void
}
