// The part of a segment's URI that tells it from the others of its rendition and life. Caches keep segments for ever, and
// times may come again, such as those of a source that starts anew: sequence numbers do not, so they are part of each name.

export interface Naming {
  /** `sequence`: media sequence number; `timestamp`: 90 kHz time of its first picture; `system`: Unix time in ms. */
  readonly by: 'sequence' | 'timestamp' | 'system'
  /** Timestamps and times are rounded down to multiples of it. */
  readonly granularity: number
}

export interface NamedSegment {
  readonly sequence: number
  readonly start90k: number
  readonly dateMs: number
}

export function segmentName({ by, granularity }: Naming, { sequence, start90k, dateMs }: NamedSegment): string {
  if (by === 'sequence') return String(sequence)
  const number = by === 'timestamp' ? start90k : Math.floor(dateMs)
  return `${number - (number % Math.max(1, granularity))}_${sequence}`
}
