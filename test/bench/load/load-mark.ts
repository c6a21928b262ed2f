// What a load client measured since the previous mark; load-client.c and load-client.ts print it as one line of JSON.

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface LoadMark {
  /** Monotonic milliseconds. */
  readonly atMs: number
  /** Bytes of response bodies. */
  readonly bytes: number
  /** Connections, and those that have received part of the body. */
  readonly readers: number
  readonly reading: number
  /** Readers that received their first byte. */
  readonly begun: number
  /** From connecting to the first byte of the body. */
  readonly firstByteMs: Spread
  /** From the timestamps of the feed to reading them, for checked readers. */
  readonly latencyMs: Spread
  /** Longest time in which a reader that was reading received nothing. */
  readonly worstGapMs: number
  /** Connections ended by the server, and those with a status other than 200 or no response. */
  readonly lost: number
  readonly refused: number
  /** Errors seen by checked readers. */
  readonly counterErrors: number
  readonly syncErrors: number
}

/** Sorts `values` in place. */
export function spreadOf(values: number[]): Spread {
  values.sort((a, b) => a - b)
  const at = (share: number): number => values[Math.floor(values.length * share)] ?? 0
  return { count: values.length, p50: at(0.5), p99: at(0.99), max: values.at(-1) ?? 0 }
}
