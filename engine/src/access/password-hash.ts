// Passwords as scrypt hashes (RFC 7914) in the text form of the Password Hashing Competition:
// `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, both in Base64 without padding.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

export interface PasswordHash {
  /** Cost: log2 of N. */
  readonly ln: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
}

export const SCRYPT_PREFIX = '$scrypt$'

/** 16 MiB and about a tenth of a second; one of the parameter sets that OWASP recommends. */
const PARAMETERS = { ln: 14, r: 8, p: 5 } as const
const SALT_BYTES = 16
const HASH_BYTES = 32

/** Limits for hashes made elsewhere: the most that one check may cost. */
const MOST_MEMORY_BYTES = 128 * 1024 * 1024
const MOST_WORK = 2 ** 24
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** Undefined if the text is not such a hash, or one that would cost too much to check. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [ln = 0, r = 0, p = 0] = match.slice(1, 4).map(Number)
  if (ln < 1 || r < 1 || p < 1) return undefined
  if (memoryOf({ ln, r, p }) > MOST_MEMORY_BYTES || 2 ** ln * r * p > MOST_WORK) return undefined
  return { ln, r, p, salt: Buffer.from(match[4] ?? '', 'base64'), hash: Buffer.from(match[5] ?? '', 'base64') }
}

export function renderPasswordHash({ ln, r, p, salt, hash }: PasswordHash): string {
  const [saltText, hashText] = [salt, hash].map((bytes) => bytes.toString('base64').replace(/=+$/, ''))
  return `${SCRYPT_PREFIX}ln=${ln},r=${r},p=${p}$${saltText}$${hashText}`
}

/** A new hash of a password, with its own salt. The work is done on another thread. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES)
  return { ...PARAMETERS, salt, hash: await derive(password, { ...PARAMETERS, salt, hash: Buffer.alloc(HASH_BYTES) }) }
}

/** Whether the password matches. The work is done on another thread; the comparison takes constant time. */
export async function isPassword(password: string, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash)
}

function derive(password: string, { ln, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  // Node counts slightly more than the bytes of the algorithm.
  const maxmem = memoryOf({ ln, r, p }) + 1024 * 1024
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, hash.length, { N: 2 ** ln, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

function memoryOf({ ln, r, p }: Pick<PasswordHash, 'ln' | 'r' | 'p'>): number {
  return 128 * r * (2 ** ln + p + 2)
}
