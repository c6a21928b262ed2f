// The time that a viewer asks for: `start` and `duration`, or `utc` and `lutc` as IPTV players send them for catch-up.

export interface AskedTime {
  /** Unix time, milliseconds. */
  readonly startMs: number
  readonly durationMs: number
}

/** A sentence for the viewer. */
export interface RefusedTime {
  readonly refused: string
  readonly status: 400 | 404
}

export const LONGEST_MS = 24 * 3_600_000
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)?)?$/
const SECONDS = /^\d{1,11}(\.\d{1,3})?$/
const LENGTH = /^(\d{1,9}(?:\.\d{1,3})?)([smhd]?)$/
const UNIT_MS: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const FORMS = 'a time of ISO 8601 such as 2026-11-30T02:00:00Z, or Unix seconds'

/** Whether the query asks for a time. */
export function asksForTime(query: string): boolean {
  return /(^|&)(start|utc)=/.test(query)
}

/** `keepMs`: how far back the archive goes. */
export function parseTimeQuery(query: string, nowMs: number, keepMs: number): AskedTime | RefusedTime {
  const parameters = new URLSearchParams(query)
  const start = parameters.get('start') ?? parameters.get('utc') ?? ''
  const startMs = timeOf(start)
  if (startMs === undefined) return refuse(400, `start has to be ${FORMS}`)
  if (startMs >= nowMs) return refuse(404, 'start lies in the future')
  if (startMs < nowMs - keepMs) return refuse(404, 'start lies before the archive')
  const asked = parameters.get('duration')
  const durationMs = asked === null ? Math.min(nowMs - startMs, LONGEST_MS) : lengthOf(asked)
  if (durationMs === undefined)
    return refuse(400, 'duration has to be a number of seconds, or a number with s, m, h or d')
  if (durationMs < 1) return refuse(400, 'duration has to be longer than nothing')
  if (durationMs > LONGEST_MS) return refuse(400, 'duration can be 24 hours at most')
  return { startMs: Math.floor(startMs), durationMs: Math.ceil(durationMs) }
}

function timeOf(text: string): number | undefined {
  if (SECONDS.test(text)) return Number(text) * 1000
  // A `+` of a query is a space.
  const iso = text.replace(/ (?=\d\d:?\d\d$)/, '+')
  if (!ISO.test(iso)) return undefined
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(iso) && iso.includes('T')
  const ms = Date.parse(hasZone ? iso : iso.includes('T') ? `${iso}Z` : iso)
  return Number.isNaN(ms) ? undefined : ms
}

function lengthOf(text: string): number | undefined {
  const [, number, unit = ''] = LENGTH.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * UNIT_MS[unit]!
}

function refuse(status: RefusedTime['status'], refused: string): RefusedTime {
  return { refused, status }
}
