// Where a verb writes (data to `out`, text for people to `err`), and the environment it reads.

export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** Where data goes. The optional members are those of a stream of Node. */
export interface BinaryStream extends TextStream {
  write(data: string | Uint8Array): unknown
  once?(event: 'drain' | 'error', listener: () => void): unknown
  readonly destroyed?: boolean
  /** More has been written than it takes at once: `drain` follows. */
  readonly writableNeedDrain?: boolean
  readonly errored?: Error | null
}

/** Resolves when it takes more; at once if it does already, or if its reader has gone. */
export async function drained(out: BinaryStream): Promise<void> {
  if (out.writableNeedDrain !== true || out.once === undefined || out.destroyed === true) return
  await new Promise<void>((resolve) => {
    out.once?.('drain', resolve)
    // Of a pipe whose reader has gone.
    out.once?.('error', () => resolve())
  })
}

export interface CliStreams {
  readonly out: BinaryStream
  readonly err: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
}
