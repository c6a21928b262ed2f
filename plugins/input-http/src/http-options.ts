// The options of the input, and the rules between them. Header values may be secrets, so all of them are treated as
// secrets.
import { choice, duration, flag, path, secret, url } from '@millrace/engine/plugin'
import { z } from 'zod'
import { readHttpUrl } from './http-url.js'

const MAX_URLS = 64
const MAX_HEADERS = 64
/** RFC 9110 section 5.1. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 section 5.5, as far as Node sends it: visible characters of Latin-1, spaces and tabs. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** RFC 6750 section 2.1, b64token. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/
/** `|User-Agent=VLC&Referer=...`, as in the lists of Kodi. */
const URL_HEADERS = /\|((?:[!#$%'*+.^_`~0-9A-Za-z-]+)=.*)$/
/** They belong to the connection, or this input sets them itself. */
const RESERVED_HEADERS =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|range)$/

const upstreamUrl = (): z.ZodType<string, string> => url({ schemes: ['http', 'https'] })

const authOptions = z.strictObject({
  type: choice('basic', 'digest', 'bearer').meta({
    description:
      'User name and password, sent with each request (`basic`, RFC 7617) or as the answer to a challenge, never in plain text (`digest`, RFC 7616: MD5, SHA-256, SHA-512-256); or a token (`bearer`, RFC 6750).',
  }),
  username: z.string().min(1).optional().meta({ description: 'User name, for `basic` and `digest`.' }),
  password: secret().optional().meta({ description: 'Password, for `basic` and `digest`.' }),
  token: secret().optional().meta({ description: 'Token, for `bearer`.' }),
})

const shape = z.strictObject({
  url: upstreamUrl().optional().meta({
    description:
      'URL of the stream, http or https. `http://user:password@host/` is the same as `auth` of type basic; if the upstream asks for a digest, that is sent.',
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
      'Time limit for each wait for more bytes, once the first has arrived. An attempt also fails if less than one packet arrives in twice this time, or no packets are found in it.',
    reload: 'live',
  }),
  firstByteTimeout: duration({ min: 1 }).prefault('20s').meta({
    description:
      'Time limit for the response head, and then for the first byte of the body: tuners and transcoders take some seconds to start.',
    reload: 'live',
  }),
  lenient: flag().default(true).meta({
    description:
      'Take responses that are not valid HTTP, as players do, and warn once: `ICY 200 OK`, lines that end with LF alone, headers without a colon or with a space before it, Content-Length repeated, 0, -1 or beside chunks, `Content-Encoding: none`, and the like. If false, they are refused.',
    reload: 'source',
  }),
  redirects: choice('public', 'same-origin', 'any').default('public').meta({
    description:
      'Where redirects may lead: anywhere but from a public address to a private, loopback or link-local one (`public`); to the scheme, host and port of the URL only (`same-origin`); anywhere (`any`).',
    reload: 'source',
  }),
  headers: z
    .record(z.string(), secret({ mayBePlain: () => true }))
    .prefault({})
    .meta({
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
      ca: path({ exists: 'required', is: 'file' }).optional().meta({
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
  if (one !== undefined) checkUrl(one, ['url'], refuse)
  for (const [index, text] of urls.entries()) checkUrl(text, ['urls', index], refuse)
  const hasUserInfo = [...(one === undefined ? [] : [one]), ...urls].some(
    (text) => readHttpUrl(text)?.login !== undefined,
  )
  if (auth !== undefined && hasUserInfo) refuse(['auth'], 'must not be set when the URL has a user and password')
  if (auth !== undefined) checkAuth(auth, refuse)
  const hasHeader = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
  if (hasHeader && (auth !== undefined || hasUserInfo)) {
    refuse(['headers'], 'must not contain Authorization when `auth` is set or the URL has a user and password')
  }
})

type Refuse = (path: readonly PropertyKey[], message: string) => void

/** Request headers behind the URL, as lists of channels have them: they would be asked for literally. */
function checkUrl(text: string, path: readonly PropertyKey[], refuse: Refuse): void {
  if (readHttpUrl(text) === undefined) refuse(path, 'must be a URL that starts with http:// or https:// and a host')
  const [, suffix] = URL_HEADERS.exec(text) ?? []
  if (suffix === undefined) return
  const names = suffix.split('&').map((pair) => pair.split('=')[0] ?? '')
  const known = names.filter((name) => HEADER_NAME.test(name)).slice(0, MAX_HEADERS)
  const example = known.map((name) => `${name}: ...`).join(', ')
  refuse(
    path,
    `must not end with request headers (\`|${known[0] ?? ''}=\`); set \`headers: { ${example} }\`, and write a \`|\` of the URL itself as %7C`,
  )
}

/** The type decides which keys `auth` needs, and which it must not have. */
function checkAuth({ type, username, password, token }: z.output<typeof authOptions>, refuse: Refuse): void {
  const given = { username, password, token }
  const wanted = type === 'bearer' ? ['token'] : ['username', 'password']
  for (const [key, value] of Object.entries(given)) {
    if (wanted.includes(key) && value === undefined) refuse(['auth'], `needs \`${key}\` for type ${type}`)
    if (!wanted.includes(key) && value !== undefined) refuse(['auth', key], `must not be set for type ${type}`)
  }
  if (type === 'basic' && username?.includes(':') === true) refuse(['auth', 'username'], 'must not contain a colon')
  if (/\p{Cc}/u.test(username ?? '')) refuse(['auth', 'username'], 'must not contain control characters')
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
