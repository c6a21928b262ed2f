// Finds secrets in text by the names that they usually have: passwords and tokens in URLs, in lists of options and in
// headers. Each is masked where it stands. What can be nothing but a secret is masked wherever else it appears; numbers,
// words and short values are not, since they would hide what has nothing to do with them.
//
// Each pattern takes time linear in the text: what it repeats is bounded, or ends where it could begin again.

/** Longer ones are not passwords. */
export const LONGEST_SECRET = 4096

/** Text behind this is not searched. */
const LONGEST_TEXT = 8192

/** Of those that are masked everywhere. */
const SHORTEST_DISTINCT = 6
/** Of words that stand alone behind a name. */
const SHORTEST_WORD = 8
/** Of those in small letters alone: words, and names of several, are shorter. */
const SHORTEST_LETTERS = 20

/** Before the name: `X-Amz-`. */
const WORDS = '(?:[a-z0-9]{1,32}[_-]){0,6}'
/** Names that nothing else has. */
const STRICT_NAME = `${WORDS}(?:passphrase|passwd|password|pwd|secret|token|accesstoken|authtoken|jwt|signature|hmac|(?:api|stream|access|auth|secret|private|encryption|signing|license|publish|client|app|account|session|shared)[_-]?key)`
/** Source of a pattern: `token`, `access_token`, `api-key`, `key`, `X-Amz-Signature`. */
export const SECRET_NAME = `(?:${STRICT_NAME}|${WORDS}(?:pass|sig)|key)`

/**
 * In queries alone, since they are words elsewhere: of signed links of CDNs (Akamai, Wowza, nginx secure_link, CloudFront,
 * Tencent, Alibaba), sessions, and short forms.
 */
const QUERY_NAME = `(?:${SECRET_NAME}|${WORDS}(?:auth|sign|credential)|hdnts|hdnea|hdntl?|wmsauthsign|md5|hash|txsecret|sid|session(?:[_-]?id)?|pw|psk|pin|st|ticket|otp|code|policy|[a-z0-9]{1,32}tokenhash)`
const WHOLE_QUERY_NAME = new RegExp(`^${QUERY_NAME}$`, 'i')

/** RFC 3986 section 3.1. Several of FFmpeg's tee are one. */
const URLS = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:\/\/\S+/gi
/** Section 3.2.1, userinfo: after the first colon. Everything up to the last @ before the path. */
const PASSWORD = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:\/\/[^/?#\s:@]*:([^/?#\s]+)@/dgi
/** In a URL: of a query, or of FFmpeg's options beside it. */
const URL_PARAMETER = new RegExp(`[?&:|;,]${SECRET_NAME}=([^&:|;,#\\]\\s]+)`, 'dgi')
/** In FFmpeg's lists of options, and in a StreamID of SRT. */
const LISTED = new RegExp(`[:|;,]${STRICT_NAME}=([^&:|;,#\\]\\s]+)`, 'dgi')
/** In a query alone: a token may contain what separates the others. */
const QUERY_PARAMETER = new RegExp(`[?&]${QUERY_NAME}=([^&|;#\\s]+)`, 'dgi')
/** Whose name is encoded in part: `tok%65n`. */
const ENCODED_PARAMETER = /[?&]((?=[^=&?#\s]{0,95}%)[^=&?#\s]{1,96})=([^&|;#\s]+)/dg
/** The session of a StreamID (SRT Access Control): a credential. */
const STREAM_ID_SESSION = /#!::(?:[^?&#\s]*,)?s=([^,?&\s]+)/dg
/** RFC 9110 section 11.4, also as JSON or a URL has it. */
const AUTHORIZATION = /authorization["']?[ +]{0,4}[:=][ +]{0,4}["']?(?:Bearer|Basic)[ +]{1,4}([A-Za-z0-9._~+/=-]+)/dgi

/**
 * The stream key of an RTMP URL, as services give them out: long, with letters and digits. Shorter names, and words, are
 * names of streams.
 */
const STREAM_KEY =
  /\brtmp[a-z]{0,2}:\/\/[^\s?#|]{1,256}\/((?=[a-z_-]*\d)(?=[\d_-]*[a-z])[a-z\d_-]{20,256})(?![^\s?#|])/dgi

const NOWHERE: SecretRange = [0, 0]

const PATTERNS = [PASSWORD, QUERY_PARAMETER, LISTED, STREAM_ID_SESSION, STREAM_KEY, AUTHORIZATION]

/** Where a secret stands in a text. */
export type SecretRange = readonly [start: number, end: number]

/** In any order; they may overlap. */
export function secretRanges(text: string): readonly SecretRange[] {
  const short = text.slice(0, LONGEST_TEXT)
  const found = PATTERNS.flatMap((pattern) => rangesOf(short, pattern, 0))
  for (const { 0: url, index } of short.matchAll(URLS)) found.push(...rangesOf(url, URL_PARAMETER, index))
  if (short.includes('%')) found.push(...encodedRanges(short))
  return found
}

/** As they are written. */
export function secretsInText(text: string): readonly string[] {
  return [...new Set(secretRanges(text).map(([start, end]) => text.slice(start, end)))]
}

/** Whether it can be masked wherever it appears: it is no number, no word, and not short. */
export function isDistinct(secret: string): boolean {
  if (secret.length < SHORTEST_DISTINCT || isNumber(secret)) return false
  return secret.length >= SHORTEST_LETTERS || !/^\p{L}?[\p{Ll}_-]+$/u.test(secret)
}

/** Whether the value of an argument, variable or header of such a name is one: words can be, too. */
export function isLikely(value: string): boolean {
  return isDistinct(value) || (value.length >= SHORTEST_WORD && !isNumber(value))
}

/** Whether text shows one, be it a word or short: of numbers, what stands before the @ of a URL. */
export function showsSecret(text: string): boolean {
  return secretRanges(text).some(([start, end]) => text[end] === '@' || !isNumber(text.slice(start, end)))
}

export function isNumber(value: string): boolean {
  return /^[\d.,:_-]+$/.test(value)
}

/** The text with *** in place of them: what a program or a server says of URLs that no configuration has. */
export function maskNamedSecrets(text: string): string {
  let masked = ''
  let done = 0
  for (const [start, end] of secretRanges(text).toSorted(([a], [b]) => a - b)) {
    if (start >= done) masked += `${text.slice(done, start)}***`
    done = Math.max(done, end)
  }
  return masked + text.slice(done)
}

function encodedRanges(text: string): readonly SecretRange[] {
  return Array.from(text.matchAll(ENCODED_PARAMETER), ({ 1: name = '', indices }) =>
    WHOLE_QUERY_NAME.test(decoded(name)) ? (indices?.[2] ?? NOWHERE) : NOWHERE,
  ).filter(([start, end]) => end > start)
}

function rangesOf(text: string, pattern: RegExp, offset: number): readonly SecretRange[] {
  return Array.from(text.matchAll(pattern), ({ indices }) => {
    const [start, end] = indices?.[1] ?? NOWHERE
    return [start + offset, end + offset] as const
  })
}

/** Without the encoding of a URL, if there is a right one. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
