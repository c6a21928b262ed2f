// Whether a request may use a path, live or ordinary.
import { headerOf } from '../listen/raw-headers.js'
import type { Visit } from '../listen/stream-handler.js'
import type { AccessDecision, Auth } from '../plugin/auth.js'

export type Denial = Extract<AccessDecision, { readonly allowed: false }>

const DENIED: Denial = { allowed: false, reason: 'address', status: 403, headers: {} }

/** `names`: the providers of the path; without any, everyone is admitted. Without `auth`, paths that name some admit no one. */
export function authorize(
  auth: Auth | undefined,
  names: readonly string[],
  { address, path, query, headers }: Visit,
): AccessDecision | Promise<AccessDecision> {
  if (names.length === 0) return { allowed: true, user: undefined }
  try {
    return auth?.check(names, { address, path, query, authorization: headerOf(headers, 'authorization') }) ?? DENIED
  } catch {
    // An undeclared provider name, which configuration checks reject.
    return DENIED
  }
}
