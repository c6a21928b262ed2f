// What a load client saw since the mark before; load-client.c and load-client.ts print it as one line of JSON.

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface LoadMark {
  /** Monotonic. */
  readonly atMs: number
  /** Of bodies. */
  readonly bytes: number
  /** Connections, and those that have got a byte of the body. */
  readonly readers: number
  readonly reading: number
  /** Readers that got their first byte. */
  readonly begun: number
  /** From connecting to the first byte of the body. */
  readonly firstByteMs: Spread
  /** From the time stamps of the feed to reading them, of checked readers. */
  readonly latencyMs: Spread
  /** Longest time without a byte of a reader that was reading. */
  readonly worstGapMs: number
  /** Ended by the server, and answered otherwise than 200 or not at all. */
  readonly lost: number
  readonly refused: number
  /** Of checked readers. */
  readonly counterErrors: number
  readonly syncErrors: number
}

/** Sorts the values. */
export function spreadOf(values: number[]): Spread {
  values.sort((a, b) => a - b)
  const at = (share: number): number => values[Math.floor(values.length * share)] ?? 0
  return { count: values.length, p50: at(0.5), p99: at(0.99), max: values.at(-1) ?? 0 }
}
