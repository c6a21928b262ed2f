// Digest authentication as the client, RFC 7616 and RFC 2617: MD5, SHA-256 and SHA-512-256, each also as a session (`-sess`),
// with the quality of protection `auth` or none.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Challenge } from './challenges.js'
import type { Login } from './http-url.js'

export interface DigestRequest {
  readonly method: string
  /** As in the request line. */
  readonly target: string
  readonly login: Login
  /** The client's nonce: new for each request. */
  readonly cnonce: string
}

interface Algorithm {
  readonly hash: string
  readonly isSession: boolean
}

/** The strongest first. */
const HASHES = [
  ['SHA-512-256', 'sha512-256'],
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
] as const
/** Each nonce is used once. */
const NONCE_COUNT = '00000001'

/** The challenge to answer: the strongest of type Digest that can be answered; undefined if there is none. */
export function chooseDigest(challenges: readonly Challenge[]): Challenge | undefined {
  const rank = (challenge: Challenge): number => {
    const algorithm = algorithmOf(challenge)
    return algorithm === undefined ? HASHES.length : HASHES.findIndex(([, hash]) => hash === algorithm.hash)
  }
  return challenges
    .filter((challenge) => challenge.scheme === 'digest' && isAnswerable(challenge))
    .sort((a, b) => rank(a) - rank(b))[0]
}

/** The server knows the password, but its nonce was too old: the same answer with the new one is worth a try. */
export function isStale({ parameters }: Challenge): boolean {
  return parameters.get('stale')?.toLowerCase() === 'true'
}

/** The value of the Authorization header; `challenge` is one that `chooseDigest` returned. Latin-1. */
export function answerDigest(challenge: Challenge, { method, target, login, cnonce }: DigestRequest): string {
  const { parameters } = challenge
  const { hash, isSession } = algorithmOf(challenge) ?? { hash: 'md5', isSession: false }
  const digest = (...parts: readonly string[]): string =>
    createHash(hash)
      .update(Buffer.from(parts.join(':'), 'latin1'))
      .digest('hex')
  const [realm, nonce] = [parameters.get('realm') ?? '', parameters.get('nonce') ?? '']
  const [username, password] = [utf8(login.username), utf8(login.password)]
  const isHashed = parameters.get('userhash')?.toLowerCase() === 'true'
  const account = digest(username, realm, password)
  const first = isSession ? digest(account, nonce, cnonce) : account
  const second = digest(method, target)
  const hasQop = offers(challenge).length > 0
  const response = hasQop ? digest(first, nonce, NONCE_COUNT, cnonce, 'auth', second) : digest(first, nonce, second)
  const [algorithm, opaque] = [parameters.get('algorithm'), parameters.get('opaque')]
  const fields = [
    `username=${quote(isHashed ? digest(username, realm) : username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(target)}`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    `response="${response}"`,
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(hasQop ? ['qop=auth', `nc=${NONCE_COUNT}`] : []),
    ...(hasQop || isSession ? [`cnonce="${cnonce}"`] : []),
    ...(isHashed ? ['userhash=true'] : []),
  ]
  return `Digest ${fields.join(', ')}`
}

function isAnswerable(challenge: Challenge): boolean {
  const qops = offers(challenge)
  const canProtect = qops.length === 0 || qops.includes('auth')
  return canProtect && challenge.parameters.has('nonce') && algorithmOf(challenge) !== undefined
}

function offers({ parameters }: Challenge): readonly string[] {
  return (parameters.get('qop') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '')
}

/** Without an algorithm it is MD5. */
function algorithmOf({ parameters }: Challenge): Algorithm | undefined {
  const name = (parameters.get('algorithm') ?? 'MD5').toUpperCase()
  const isSession = name.endsWith('-SESS')
  const found = HASHES.find(([word]) => word === (isSession ? name.slice(0, -'-SESS'.length) : name))
  return found === undefined ? undefined : { hash: found[1], isSession }
}

function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
