// Whether a publisher may publish, by the auth providers of its input.
import type { AccessDecision, Auth } from '../../plugin/auth.js'
import type { Publisher, PublisherRefusal } from '../../plugin/publisher.js'

export interface PublishRefusal {
  readonly code: PublisherRefusal
  readonly why: string
}

const REFUSALS: Readonly<Record<number, PublishRefusal>> = {
  401: { code: 'unauthorized', why: 'the credentials are missing or wrong' },
  403: { code: 'forbidden', why: 'no auth provider allows it' },
}
const BUSY: PublishRefusal = { code: 'busy', why: 'too many attempts, try again later' }

/** Undefined if it may. `names`: any of these providers admits it; without any, everybody may. Never rejects. */
export async function refusalOfPublisher(
  auth: Pick<Auth, 'check'>,
  names: readonly string[],
  publisher: Publisher,
): Promise<PublishRefusal | undefined> {
  if (names.length === 0) return undefined
  try {
    const decision = await auth.check(names, requestOf(publisher))
    return decision.allowed ? undefined : refusalOf(decision)
  } catch {
    // A provider that is not declared, which configuration checks reject.
    return { code: 'forbidden', why: 'its auth provider does not exist' }
  }
}

function refusalOf({ status }: Extract<AccessDecision, { readonly allowed: false }>): PublishRefusal {
  return REFUSALS[status] ?? BUSY
}

/** As the providers of HTTP know it: the key is the path, and the credentials are a header. */
function requestOf({ key, who, credentials }: Publisher): Parameters<Auth['check']>[1] {
  const { user, password, token, query = '' } = credentials
  const basic = Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64')
  const hasName = user !== undefined || password !== undefined
  const authorization = token !== undefined ? `Bearer ${token}` : hasName ? `Basic ${basic}` : undefined
  return { address: who.address, path: `/${key}`, query, authorization }
}
