// What a framer counts.

/** Plain numbers, for metrics. */
export interface FramerCounters {
  packets: number
  syncLosses: number
  syncByteErrors: number
  /** Bytes that belonged to no packet. */
  skippedBytes: number
}
