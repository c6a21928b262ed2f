// What the answer of the hook means: 200 and 204 allow, 401 and 403 deny, anything else is a failure.
import { duration } from '@millrace/engine/plugin'
import { z } from 'zod'

/** The hook knows who may watch, not for how long the engine may rely on it. */
const LONGEST_TTL_MS = 3_600_000

const ANSWER = z.object({
  allow: z.boolean().optional(),
  user: z
    .string()
    .min(1)
    .max(255)
    .regex(/^\P{Cc}*$/u)
    .optional(),
  secret: z.string().min(1).max(255).optional(),
  reason: z.string().optional(),
  ttl: duration({ max: LONGEST_TTL_MS }).optional(),
})

type Said = Partial<z.output<typeof ANSWER>>

export interface Answer {
  readonly verdict: 'allow' | 'deny' | 'unauthorized'
  readonly user?: string | undefined
  /** What the connection is encrypted with: the passphrase of SRT. */
  readonly secret?: string | undefined
  readonly reason?: string | undefined
  readonly ttlMs?: number | undefined
}

/** The answer, or why it is none. Never throws. */
export function readAnswer(status: number, body: Uint8Array, isWhole: boolean): Answer | string {
  const said = isWhole ? parse(body) : undefined
  // The error page of a web server is a refusal too.
  if (status === 401 || status === 403) return refusalOf(status, said)
  if (status >= 300 && status < 400) return `it redirects (status ${status}), which is not followed`
  if (status !== 200 && status !== 204) return `it responded with status ${status}`
  if (!isWhole) return 'its answer was cut off or is too long'
  if (said === undefined) return 'its answer is not the JSON that it should be'
  const { allow = true, user, secret, reason, ttl: ttlMs } = said
  return allow
    ? { verdict: 'allow', user, ttlMs, ...(secret === undefined ? {} : { secret }) }
    : { verdict: 'deny', reason, ttlMs }
}

function refusalOf(status: 401 | 403, { reason, ttl: ttlMs }: Said = {}): Answer {
  return { verdict: status === 401 ? 'unauthorized' : 'deny', reason, ttlMs }
}

/** An empty body says nothing; undefined for a body that is not the JSON of an answer. */
function parse(body: Uint8Array): Said | undefined {
  if (body.length === 0) return {}
  try {
    const given: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    const said = ANSWER.safeParse(given).data
    // `{ "allowed": false }` or `{ "error": "..." }` is no answer: it must not admit.
    return said === undefined || (Object.keys(said).length === 0 && Object.keys(given as object).length > 0)
      ? undefined
      : said
  } catch {
    return undefined
  }
}
