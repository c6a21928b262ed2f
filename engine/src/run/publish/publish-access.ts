// Whether a publisher may publish, by the auth providers of its input.
import type { AccessDecision, AccessRequest, Auth } from '../../plugin/auth.js'
import type { Publisher, PublisherRefusal } from '../../plugin/publisher.js'

export interface PublishRefusal {
  readonly code: PublisherRefusal
  readonly why: string
}

type Denied = Extract<AccessDecision, { readonly allowed: false }>

const CODES: Readonly<Partial<Record<Denied['reason'], PublisherRefusal>>> = {
  'no-credentials': 'unauthorized',
  'bad-credentials': 'unauthorized',
  'bad-signature': 'unauthorized',
  expired: 'unauthorized',
  busy: 'busy',
  failed: 'busy',
  'too-many-failures': 'busy',
}
const REASONS: Readonly<Partial<Record<PublisherRefusal, string>>> = {
  unauthorized: 'the credentials are missing or wrong',
  busy: "it can't be decided now, try again later",
}

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

function refusalOf({ reason, why }: Denied): PublishRefusal {
  const code = CODES[reason] ?? 'forbidden'
  return { code, why: why ?? REASONS[code] ?? 'no auth provider allows it' }
}

function requestOf({ key, who, credentials }: Publisher): AccessRequest {
  const { protocol, address, agent } = who
  return { ...credentials, action: 'publish', protocol, stream: key, address, agent }
}
