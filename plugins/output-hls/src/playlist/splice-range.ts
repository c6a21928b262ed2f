// A splice as EXT-X-DATERANGE, draft-pantos-hls-rfc8216bis 4.4.5.1.1: what playlists say of it, and the index on a disk.

export const SPLICE_ATTRIBUTES = ['SCTE35-CMD', 'SCTE35-OUT', 'SCTE35-IN'] as const
export type SpliceAttribute = (typeof SPLICE_ATTRIBUTES)[number]

/** Attributes are added, never changed. */
export interface SpliceRange {
  /** Of no other range of the output. */
  readonly id: string
  readonly event: string
  /** Unix time, whole milliseconds as in playlists. */
  readonly startMs: number
  readonly plannedMs?: number | undefined
  /** The end is known. */
  readonly durationMs?: number | undefined
  /** It ends after `plannedMs`, without a message. */
  readonly isAutoReturn?: true | undefined
  /** It is not listed any more: it had not begun. */
  readonly isCancelled?: true | undefined
  /** The messages, whole sections in base64. */
  readonly sections: Readonly<Partial<Record<SpliceAttribute, string>>>
}

/** A break lasts that long if nothing tells its end: a day. */
export const LONGEST_BREAK_MS = 86_400_000

/** The beginning of a break. */
export function isBreak({ sections, isCancelled }: SpliceRange): boolean {
  return sections['SCTE35-OUT'] !== undefined && isCancelled !== true
}

/** A break that only its in ends. */
export function isOpen(range: SpliceRange): boolean {
  return isBreak(range) && range.durationMs === undefined && range.isAutoReturn !== true
}

/** As far as it is known. */
export function endOf(range: SpliceRange): number {
  const { startMs, durationMs, plannedMs } = range
  return startMs + (durationMs ?? plannedMs ?? (isBreak(range) ? LONGEST_BREAK_MS : 0))
}

/** Playlists that begin with this date have it, or would if it were not cancelled. */
export function lasts(range: SpliceRange, fromMs: number): boolean {
  // What is planned is no end: its in belongs to it, also when that comes later.
  const endMs = isOpen(range) ? Math.max(endOf(range), range.startMs + LONGEST_BREAK_MS) : endOf(range)
  // Dates are written without fractions of a millisecond.
  return endMs >= Math.floor(fromMs)
}

export function renderRange({ id, startMs, plannedMs, durationMs, sections }: SpliceRange): string {
  const attributes = [
    `ID="${id}"`,
    `START-DATE="${new Date(startMs).toISOString()}"`,
    ...(durationMs === undefined ? [] : [`DURATION=${(durationMs / 1000).toFixed(3)}`]),
    ...(plannedMs === undefined ? [] : [`PLANNED-DURATION=${(plannedMs / 1000).toFixed(3)}`]),
    ...Object.entries(sections).map(([name, bytes]) => `${name}=0x${hexOf(bytes)}`),
  ]
  return `#EXT-X-DATERANGE:${attributes.join(',')}`
}

function hexOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex').toUpperCase()
}
