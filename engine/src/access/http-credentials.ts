// Credentials of the header Authorization, decoded once for every provider: the schemes Basic (RFC 7617) and Bearer
// (RFC 6750 section 2.1).
import type { AccessRequest } from '../plugin/auth.js'
import { parseBasic } from './basic-credentials.js'

export type HttpCredentials = Pick<AccessRequest, 'user' | 'password' | 'token'>

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i
const BEARER_SCHEME = /^Bearer(?: |$)/i

/** What the header presents; nothing if it is missing or has another scheme. Never throws. */
export function httpCredentials(authorization: string | undefined): HttpCredentials {
  if (authorization === undefined) return {}
  if (BEARER_SCHEME.test(authorization)) return { token: BEARER.exec(authorization)?.[1] ?? '' }
  const basic = parseBasic(authorization)
  return basic === 'malformed' ? { password: '' } : (basic ?? {})
}
