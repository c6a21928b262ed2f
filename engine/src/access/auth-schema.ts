// The section `auth:` of the YAML: one schema for each type of provider.
import { z } from 'zod'
import type { Position } from '../graph/graph.js'
import { ACCESS_ACTIONS, type AccessAction } from '../plugin/auth.js'
import type { BuiltInAuth } from '../plugin/auth-definition.js'
import { isAddressRange } from '../listen/address-ranges.js'
import { authName, choice, secret } from '../plugin/options.js'
import { parsePasswordHash, SCRYPT_PREFIX } from './password-hash.js'
import { LINK_PARAMETERS } from './signed-link.js'

const MOST_ENTRIES = 10_000
/** Ranges are searched one by one. */
const MOST_RANGES = 1000
/** RFC 7617 section 2: a colon would end the name. */
const USER_NAME = /^[^:\p{Cc}]{1,255}$/u
/** Fits between the quotes of a challenge. */
const REALM = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/
/** RFC 3986: needs no encoding in a query. */
const PARAMETER = /^[A-Za-z0-9._~-]{1,64}$/
/** RFC 6750 section 2.1. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/
const LEAST_KEY_LENGTH = 16

const realm = z
  .string()
  .regex(REALM, 'must be ASCII text without quotes or backslashes')
  .default('millrace')
  .meta({ description: 'Realm that browsers and players show when they ask for credentials.', reload: 'live' })

// A hash is no secret.
const password = secret({ mayBePlain: (text) => text.startsWith(SCRYPT_PREFIX) }).refine(
  (text) => !text.startsWith(SCRYPT_PREFIX) || parsePasswordHash(text) !== undefined,
  'must be a scrypt hash as made by `engine hash`',
)

const bearerToken = secret().refine(
  (text) => BEARER_TOKEN.test(text),
  'must consist of letters, digits and -._~+/, with = only at the end',
)

function tokensOf(token: z.ZodType<string, string>) {
  return z
    .union([z.array(token), z.record(z.string(), token)])
    .refine((tokens) => isFilled(Object.keys(tokens)), 'must have at least one token')
    .meta({ description: 'Accepted tokens: a list, or a map from user names to tokens.', reload: 'live' })
}

function parameter(name: string, description: string) {
  return z
    .string()
    .regex(PARAMETER, 'must be a parameter name: letters, digits and -._~')
    .default(name)
    .meta({ description, reload: 'live' })
}

function ranges(description: string) {
  return z
    .array(z.string().refine(isAddressRange, 'must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32'))
    .max(MOST_RANGES)
    .default([])
    .meta({ description, reload: 'live' })
}

function isFilled(keys: readonly string[]): boolean {
  return keys.length > 0 && keys.length <= MOST_ENTRIES
}

/** Names of protocols, such as `http`, `https`, `tcp`, `srt`. */
const PROTOCOL = /^[a-z][a-z0-9-]{0,31}$/

/** Keys that the engine reads on every provider. */
export const PROVIDER_SCHEMA = z.strictObject({
  actions: z
    .array(choice(...ACCESS_ACTIONS))
    .min(1)
    .optional()
    .meta({
      description:
        'What it can admit clients to: `read` (watch), `publish`. By default `[read]`, so that the password of a viewer ' +
        'admits no publisher; a provider of type `all` does what all of its parts do.',
      reload: 'live',
    }),
  protocols: z
    .array(z.string().regex(PROTOCOL, 'must be names of protocols, such as https or srt'))
    .min(1)
    .optional()
    .meta({
      description: 'Protocols over which it admits clients, such as `https`. By default all.',
      reload: 'live',
    }),
})

/** What a provider without the option `actions` admits to. */
export const DEFAULT_ACTIONS: readonly AccessAction[] = ['read']

/** By `type`. */
export const AUTH_SCHEMAS = {
  basic: z.strictObject({
    realm,
    users: z
      .record(z.string(), password)
      .refine((users) => isFilled(Object.keys(users)), 'must have at least one user')
      .refine(
        (users) => Object.keys(users).every((name) => USER_NAME.test(name)),
        'must have user names without colons or control characters',
      )
      .meta({ description: 'Passwords by user name, in plain text or as hashed by `engine hash`.', reload: 'live' }),
  }),
  bearer: z.strictObject({ realm, tokens: tokensOf(bearerToken) }),
  token: z.strictObject({
    parameter: parameter('token', 'Query parameter that carries the token.'),
    tokens: tokensOf(secret()),
  }),
  signed: z.strictObject({
    keys: z
      .record(z.string().regex(PARAMETER), longKey())
      .refine((keys) => isFilled(Object.keys(keys)), 'must have at least one key')
      .meta({
        description: 'Signing keys by id. A link names the id of its key, so that keys can be replaced one by one.',
        reload: 'live',
      }),
    parameters: z
      .strictObject({
        expires: parameter(LINK_PARAMETERS.expires, 'Parameter for the expiry, a Unix time in seconds.'),
        prefix: parameter(
          LINK_PARAMETERS.prefix,
          'Parameter for the path; one that ends with / covers everything below it.',
        ),
        key: parameter(LINK_PARAMETERS.key, 'Parameter for the id of the key.'),
        signature: parameter(LINK_PARAMETERS.signature, 'Parameter for the signature.'),
      })
      .prefault({})
      .meta({ description: 'Names of the query parameters of a link.', reload: 'live' }),
  }),
  ip: z
    .strictObject({
      allow: ranges('Addresses and ranges that are admitted; by default all.'),
      deny: ranges('Addresses and ranges that are refused, even if `allow` contains them.'),
    })
    .refine(({ allow, deny }) => allow.length + deny.length > 0, 'must have "allow" or "deny"'),
  all: z.strictObject({
    of: z.array(authName()).min(1).meta({
      description: 'Providers that must all admit a request; none of them can be of type `all`.',
      reload: 'live',
    }),
  }),
} as const satisfies Readonly<Record<BuiltInAuth, z.ZodType>>

export type AuthType = keyof typeof AUTH_SCHEMAS
export type BasicOptions = z.output<(typeof AUTH_SCHEMAS)['basic']>
export type BearerOptions = z.output<(typeof AUTH_SCHEMAS)['bearer']>
export type TokenOptions = z.output<(typeof AUTH_SCHEMAS)['token']>
export type SignedOptions = z.output<(typeof AUTH_SCHEMAS)['signed']>
export type AllOptions = z.output<(typeof AUTH_SCHEMAS)['all']>
export type IpOptions = z.output<(typeof AUTH_SCHEMAS)['ip']>

/** A provider of the checked graph. */
export type AuthSettings = {
  readonly [T in AuthType]: {
    readonly name: string
    readonly type: T
    readonly options: z.output<(typeof AUTH_SCHEMAS)[T]>
    readonly actions?: readonly AccessAction[]
    readonly protocols?: readonly string[]
    readonly at: Position
  }
}[AuthType]

export function isAuthType(text: string): text is AuthType {
  return Object.hasOwn(AUTH_SCHEMAS, text)
}

function longKey() {
  return secret().refine((text) => text.length >= LEAST_KEY_LENGTH, `must have at least ${LEAST_KEY_LENGTH} characters`)
}
