// The options of the input, and the rules between them. Header values may be secrets, so all of them are treated as
// secrets.
import { choice, duration, flag, path, secret, url } from '@millrace/engine/plugin'
import { z } from 'zod'
import { readUserInfo } from './upstream.js'

const MAX_URLS = 64
const MAX_HEADERS = 64
/** RFC 9110 section 5.1. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 section 5.5, as far as Node sends it: visible characters of Latin-1, spaces and tabs. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** RFC 6750 section 2.1, b64token. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/
/** They belong to the connection, or this input sets them itself. */
const RESERVED_HEADERS =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|range)$/

const upstreamUrl = (): z.ZodType<string, string> => url({ schemes: ['http', 'https'] })

const authOptions = z.strictObject({
  type: choice('basic', 'bearer').meta({ description: 'User name and password (RFC 7617), or a token (RFC 6750).' }),
  username: z.string().min(1).optional().meta({ description: 'User name, for `basic`.' }),
  password: secret().optional().meta({ description: 'Password, for `basic`.' }),
  token: secret().optional().meta({ description: 'Token, for `bearer`.' }),
})

const shape = z.strictObject({
  url: upstreamUrl().optional().meta({
    description: 'URL of the stream, http or https. `http://user:password@host/` is the same as `auth` of type basic.',
    reload: 'source',
  }),
  urls: z
    .array(upstreamUrl())
    .min(1)
    .max(MAX_URLS)
    .optional()
    .meta({
      description: `Instead of \`url\`: 1 to ${MAX_URLS} URLs of the stream. When one fails, the next is tried at once.`,
      reload: 'source',
    }),
  order: choice('listed', 'random').default('listed').meta({
    description: 'Try `urls` in the listed order, or in a new random order each round.',
    reload: 'source',
  }),
  connectTimeout: duration({ min: 1 }).prefault('5s').meta({
    description: 'Time limit for name resolution, connection and TLS handshake, for each request of an attempt.',
    reload: 'live',
  }),
  readTimeout: duration({ min: 1 }).prefault('5s').meta({
    description:
      'Time limit for the response head, and then for each wait for more bytes. An attempt also fails if less than one packet arrives in twice this time.',
    reload: 'live',
  }),
  headers: z.record(z.string(), secret()).prefault({}).meta({
    description:
      'Additional request headers. After a redirect to another origin, only `User-Agent`, `Accept`, `Accept-Language` and `Referer` are still sent.',
    reload: 'source',
  }),
  auth: authOptions.optional().meta({
    description: 'Credentials for the origin of the URL. They are never sent to another origin after a redirect.',
    reload: 'source',
  }),
  tls: z
    .strictObject({
      ca: path().optional().meta({
        description: 'PEM file with the certificate authorities to trust, instead of the well-known ones.',
        reload: 'source',
      }),
      insecure: flag().default(false).meta({
        description:
          'Accept any certificate. Anyone on the network path can then read passwords and replace the stream: for tests only.',
        reload: 'source',
      }),
    })
    .prefault({}),
})

export const httpOptions = shape.superRefine((options, context) => {
  const refuse: Refuse = (path, message) => {
    context.addIssue({ code: 'custom', path: [...path], message })
  }
  const { url: one, urls = [], headers, auth } = options
  if (one === undefined && options.urls === undefined) refuse([], 'needs `url` or `urls`')
  if (one !== undefined && options.urls !== undefined) refuse(['urls'], 'must not be set together with `url`')
  checkHeaders(headers, refuse)
  const hasUserInfo = [...(one === undefined ? [] : [one]), ...urls].some((text) => readUserInfo(new URL(text)))
  if (auth !== undefined && hasUserInfo) refuse(['auth'], 'must not be set when the URL has a user and password')
  if (auth !== undefined) checkAuth(auth, refuse)
  const hasHeader = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
  if (hasHeader && (auth !== undefined || hasUserInfo)) {
    refuse(['headers'], 'must not contain Authorization when `auth` is set or the URL has a user and password')
  }
})

type Refuse = (path: readonly string[], message: string) => void

/** The type decides which keys `auth` needs, and which it must not have. */
function checkAuth({ type, username, password, token }: z.output<typeof authOptions>, refuse: Refuse): void {
  const given = { username, password, token }
  const wanted = type === 'basic' ? ['username', 'password'] : ['token']
  for (const [key, value] of Object.entries(given)) {
    if (wanted.includes(key) && value === undefined) refuse(['auth'], `needs \`${key}\` for type ${type}`)
    if (!wanted.includes(key) && value !== undefined) refuse(['auth', key], `must not be set for type ${type}`)
  }
  if (username?.includes(':') === true) refuse(['auth', 'username'], 'must not contain a colon')
  if (token !== undefined && !TOKEN.test(token)) {
    refuse(['auth', 'token'], 'must consist of letters, digits and -._~+/')
  }
}

function checkHeaders(headers: Readonly<Record<string, string>>, refuse: Refuse): void {
  const names = Object.keys(headers)
  if (names.length > MAX_HEADERS) refuse(['headers'], `must have at most ${MAX_HEADERS} entries`)
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    refuse(['headers'], 'must name each header once: names are case-insensitive')
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) refuse(['headers', name], 'must be a valid header name')
    else if (RESERVED_HEADERS.test(name.toLowerCase()))
      refuse(['headers', name], 'must not be set: the input sets this header itself')
    if (!HEADER_VALUE.test(value)) refuse(['headers', name], 'must not contain line breaks or control characters')
  }
}
