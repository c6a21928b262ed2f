// Which parameters of a query are no credentials: those that players and this output know. What else there is may be one.

interface Presented {
  /** As sent. */
  readonly query: string
  readonly authorization: string | undefined
}

/** Kept when the path leads to the folder of a grant. */
const KEPT = new Set(['start', 'duration', 'utc', 'lutc', '_HLS_msn', '_HLS_part', '_HLS_skip'])
const CMCD = 'CMCD'
const LONGEST_KEPT = 512
const PRINTABLE = /^[\x21-\x7e]*$/

/** What may be credentials, as one text. Undefined: there is nothing. */
export function presentedCredentials({ query, authorization }: Presented): string | undefined {
  const parts = query.split('&').filter((part) => part !== '' && !KEPT.has(nameOf(part)) && nameOf(part) !== CMCD)
  if (parts.length === 0 && authorization === undefined) return undefined
  return JSON.stringify([authorization, ...parts])
}

/** What of a query is for the playlist itself. */
export function keptQuery(query: string): string {
  const parts = query.split('&').filter((part) => KEPT.has(nameOf(part)))
  const kept = parts.join('&')
  return kept.length <= LONGEST_KEPT && PRINTABLE.test(kept) ? kept : ''
}

function nameOf(part: string): string {
  return part.split('=', 1)[0] ?? ''
}
