// Whether a publisher may publish, by the auth providers of its input.
import type { AccessDecision, AccessRequest, Auth } from '../../plugin/auth.js'
import { lacksCredentials } from '../../plugin/lacks-credentials.js'
import type { Publisher, PublisherGrant, PublisherRefusal } from '../../plugin/publisher.js'

export interface PublishRefusal {
  readonly code: PublisherRefusal
  readonly why: string
}

type Denied = Extract<AccessDecision, { readonly allowed: false }>

const CODES: Readonly<Partial<Record<Denied['reason'], PublisherRefusal>>> = {
  busy: 'overloaded',
  failed: 'failed',
  'too-many-failures': 'overloaded',
}
const REASONS: Readonly<Partial<Record<PublisherRefusal, string>>> = {
  unauthorized: 'the credentials are missing or wrong',
  overloaded: 'too many are being checked, or have failed: try again later',
  failed: "it can't be decided now: the auth provider fails",
}

/** `names`: any of these providers admits it; without any, everybody may. Never rejects. */
export async function accessOfPublisher(
  auth: Pick<Auth, 'check'>,
  names: readonly string[],
  publisher: Publisher,
): Promise<PublishRefusal | PublisherGrant> {
  if (names.length === 0) return {}
  try {
    const decision = await auth.check(names, requestOf(publisher))
    return decision.allowed ? { secret: decision.secret, giveBack: decision.giveBack } : refusalOf(decision)
  } catch {
    // A provider that is not declared, which configuration checks reject.
    return { code: 'forbidden', why: 'its auth provider does not exist' }
  }
}

function refusalOf({ reason, why }: Denied): PublishRefusal {
  const code = lacksCredentials(reason) ? 'unauthorized' : (CODES[reason] ?? 'forbidden')
  return { code, why: why ?? REASONS[code] ?? 'no auth provider allows it' }
}

function requestOf({ key, who, credentials }: Publisher): AccessRequest {
  const { protocol, address, agent } = who
  return { ...credentials, action: 'publish', protocol, stream: key, address, agent }
}
