// Whether an HTTP request may use a path, live or ordinary: the request in the words of the providers.
import { headerOf } from '../listen/raw-headers.js'
import type { Visit } from '../listen/stream-handler.js'
import { streamOf } from '../graph/node-id.js'
import type { AccessDecision, Auth } from '../plugin/auth.js'
import { httpCredentials } from './http-credentials.js'

export type Denial = Extract<AccessDecision, { readonly allowed: false }>

const DENIED: Denial = { allowed: false, reason: 'address', status: 403, headers: {} }

/** The path that was requested. */
export interface Requested {
  /** The providers of the path; without any, everyone is admitted. */
  readonly names: readonly string[]
  /** `http` or `https`. */
  readonly protocol: string
  /** Id of the node that has the path. */
  readonly owner: string
}

/** Without `auth`, paths that name providers admit no one. */
export function authorize(
  auth: Auth | undefined,
  { names, protocol, owner }: Requested,
  { address, path, query, headers }: Visit,
): AccessDecision | Promise<AccessDecision> {
  if (names.length === 0) return { allowed: true, user: undefined }
  try {
    return (
      auth?.check(names, {
        ...{ action: 'read', protocol, stream: streamOf(owner), address, path, query },
        ...httpCredentials(headerOf(headers, 'authorization')),
        agent: headerOf(headers, 'user-agent'),
      }) ?? DENIED
    )
  } catch {
    // An undeclared provider name, which configuration checks reject.
    return DENIED
  }
}
