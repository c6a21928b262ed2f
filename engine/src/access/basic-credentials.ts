// Credentials of the scheme Basic, RFC 7617 section 2: decoded as UTF-8 if they are valid UTF-8, else as latin1
// (appendix B.3).

export interface BasicCredentials {
  readonly user: string
  readonly password: string
}

/** RFC 9110 section 11.2: token68, of which Base64 with padding is a part. */
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i
const SCHEME = /^Basic(?: |$)/i
const CONTROL = /\p{Cc}/u
/** Characters in Base64; longer credentials are malformed. */
const LONGEST = 1024

/** Undefined if the header is missing or has another scheme; `malformed` if it cannot be parsed. Never throws. */
export function parseBasic(authorization: string | undefined): BasicCredentials | 'malformed' | undefined {
  if (authorization === undefined || !SCHEME.test(authorization)) return undefined
  const encoded = BASIC.exec(authorization)?.[1]
  if (encoded === undefined || encoded.length > LONGEST) return 'malformed'
  const text = decode(Buffer.from(encoded, 'base64'))
  const colon = text.indexOf(':')
  if (colon < 0 || CONTROL.test(text)) return 'malformed'
  return { user: comparable(text.slice(0, colon)), password: comparable(text.slice(colon + 1)) }
}

/** The form in which names and passwords are compared: Unicode NFC, as RFC 7617 section 2.1 requires. */
export function comparable(text: string): string {
  return text.normalize('NFC')
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
