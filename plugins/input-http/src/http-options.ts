// The options of the input, and what has to fit together in them. Values of headers may be secrets, so all of them are
// treated as such.
import { choice, duration, flag, path, secret, url } from '@millrace/engine/plugin'
import { z } from 'zod'
import { readUserInfo } from './upstream.js'

const MAX_URLS = 64
const MAX_HEADERS = 64
/** RFC 9110 section 5.1. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 section 5.5, what Node sends of it: visible characters of Latin-1, blanks and tabs. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** RFC 6750 section 2.1, b64token. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/
/** They belong to the connection, or this input says them itself. */
const OWN_HEADERS =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|range)$/

const upstreamUrl = (): z.ZodType<string, string> => url({ schemes: ['http', 'https'] })

const authOptions = z.strictObject({
  type: choice('basic', 'bearer').meta({ description: 'User and password (RFC 7617), or a token (RFC 6750).' }),
  username: z.string().min(1).optional().meta({ description: 'Of `basic`.' }),
  password: secret().optional().meta({ description: 'Of `basic`.' }),
  token: secret().optional().meta({ description: 'Of `bearer`.' }),
})

const shape = z.strictObject({
  url: upstreamUrl().optional().meta({
    description: 'Where the stream is, http or https. `http://user:password@host/` says `auth` of type basic.',
    reload: 'source',
  }),
  urls: z
    .array(upstreamUrl())
    .min(1)
    .max(MAX_URLS)
    .optional()
    .meta({
      description: `Instead of \`url\`: 1 to ${MAX_URLS} places where the stream is. When one fails, the next is asked at once.`,
      reload: 'source',
    }),
  order: choice('listed', 'random').default('listed').meta({
    description: 'Ask `urls` in turn, or each round in another order.',
    reload: 'source',
  }),
  connectTimeout: duration({ min: 1 }).prefault('5s').meta({
    description: 'For name, connection and TLS, of each request of an attempt.',
    reload: 'live',
  }),
  readTimeout: duration({ min: 1 }).prefault('5s').meta({
    description:
      'For the response head, and then from byte to byte. An upstream of which not one packet came in twice this time is given up as well.',
    reload: 'live',
  }),
  headers: z.record(z.string(), secret()).prefault({}).meta({
    description:
      'More request headers. Another origin, to which a redirect leads, gets `User-Agent`, `Accept`, `Accept-Language` and `Referer` of them only.',
    reload: 'source',
  }),
  auth: authOptions.optional().meta({
    description: 'Sent to the origin of the URL, never to another one to which a redirect leads.',
    reload: 'source',
  }),
  tls: z
    .strictObject({
      ca: path().optional().meta({
        description: 'A PEM file: its authorities are trusted, instead of the well-known ones.',
        reload: 'source',
      }),
      insecure: flag().default(false).meta({
        description:
          'Trust any certificate. Whoever is on the way can then read passwords and replace the stream: for tests only.',
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
  if (one === undefined && options.urls === undefined) refuse([], 'needs `url`, or `urls`')
  if (one !== undefined && options.urls !== undefined) refuse(['urls'], 'must not be given beside `url`')
  checkHeaders(headers, refuse)
  const hasUserInfo = [...(one === undefined ? [] : [one]), ...urls].some((text) => readUserInfo(new URL(text)))
  if (auth !== undefined && hasUserInfo) refuse(['auth'], 'must not be given beside a URL with user and password')
  if (auth !== undefined) checkAuth(auth, refuse)
  const hasHeader = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
  if (hasHeader && (auth !== undefined || hasUserInfo)) {
    refuse(['headers'], 'must not have Authorization beside `auth`, or beside a URL with user and password')
  }
})

type Refuse = (path: readonly string[], message: string) => void

/** Which of its keys `auth` needs, and which it may not have, is said by its type. */
function checkAuth({ type, username, password, token }: z.output<typeof authOptions>, refuse: Refuse): void {
  const given = { username, password, token }
  const wanted = type === 'basic' ? ['username', 'password'] : ['token']
  for (const [key, value] of Object.entries(given)) {
    if (wanted.includes(key) && value === undefined) refuse(['auth'], `needs \`${key}\` for type ${type}`)
    if (!wanted.includes(key) && value !== undefined) refuse(['auth', key], `must not be given for type ${type}`)
  }
  if (username?.includes(':') === true) refuse(['auth', 'username'], 'must not contain a colon')
  if (token !== undefined && !TOKEN.test(token)) {
    refuse(['auth', 'token'], 'must consist of letters, digits and -._~+/')
  }
}

function checkHeaders(headers: Readonly<Record<string, string>>, refuse: Refuse): void {
  const names = Object.keys(headers)
  if (names.length > MAX_HEADERS) refuse(['headers'], `must be at most ${MAX_HEADERS}`)
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    refuse(['headers'], 'must name each header once: upper and lower case are the same')
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) refuse(['headers', name], 'must have the name of a header')
    else if (OWN_HEADERS.test(name.toLowerCase())) refuse(['headers', name], 'must be left to the input')
    if (!HEADER_VALUE.test(value)) refuse(['headers', name], 'must have no line breaks and no control characters')
  }
}
