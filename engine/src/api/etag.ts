// The ETag of a text that the control API sends (RFC 9110 section 8.8.3).
import { createHash } from 'node:crypto'

export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`
}

/** Whether a list of ETags, as in If-Match and If-None-Match, names one of these. */
export function namesEtag(list: string, etags: readonly string[]): boolean {
  const named = list.split(',').map((one) => one.trim())
  return named.includes('*') || named.some((one) => etags.includes(one))
}
