// How the frames of an audio codec stand in a transport stream: what surrounds a raw frame, how long it lasts, and what the
// PMT says about it. One object for each track.

/** By which standard AC-3 and Enhanced AC-3 are announced: stream types 0x81 and 0x87, or 0x06 with descriptors. */
export type Ac3Standard = 'atsc' | 'dvb'

export interface AudioFormat {
  readonly streamType: number
  /** The descriptor loop of the PMT, without the language. */
  readonly descriptors: Uint8Array
  readonly usesPrivateStream: boolean
  /** Of the last frame measured. */
  readonly samples: number
  readonly sampleRate: number
  /** Reads what the frame says of itself; returns the bytes before it, or -1 if it can't be carried. */
  measure(bytes: Uint8Array, start: number, end: number): number
  /** Writes those bytes for the frame that was measured. */
  writeHead(target: Uint8Array, at: number): void
}
