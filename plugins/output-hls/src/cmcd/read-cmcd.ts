// Where a request carries CMCD: in the query (CTA-5004, 2.2) or in four headers (2.1).
import type { IncomingHttpHeaders } from 'node:http'
import { type CmcdReport, LONGEST_CMCD, parseCmcd } from './parse-cmcd.js'

const PARAMETER = 'CMCD='
const HEADERS = ['cmcd-object', 'cmcd-request', 'cmcd-session', 'cmcd-status']
/** Each byte of the data may be encoded as three. */
const LONGEST_ENCODED = 3 * LONGEST_CMCD

/** `query`: as sent. Undefined if there is none. Never throws. */
export function readCmcd(query: string, headers: IncomingHttpHeaders): CmcdReport | undefined {
  const text = ofQuery(query) ?? ofHeaders(headers)
  return text === undefined ? undefined : parseCmcd(text)
}

function ofQuery(query: string): string | undefined {
  if (!query.includes(PARAMETER)) return undefined
  const part = query.split('&').find((each) => each.startsWith(PARAMETER))
  if (part === undefined || part.length > LONGEST_ENCODED) return undefined
  try {
    return decodeURIComponent(part.slice(PARAMETER.length))
  } catch {
    return undefined
  }
}

function ofHeaders(headers: IncomingHttpHeaders): string | undefined {
  if (!HEADERS.some((name) => headers[name] !== undefined)) return undefined
  const parts = HEADERS.flatMap((name) => headers[name] ?? [])
  return parts.length === 0 ? undefined : parts.join(',')
}
