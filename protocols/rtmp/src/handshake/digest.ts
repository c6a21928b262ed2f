// The digest handshake of Adobe's servers and players ("complex"): an HMAC-SHA256 over the other 1504 bytes lies within C1
// or S1, at an offset that four of its bytes say; S2 and C2 are signed with a key made from the other side's digest. It
// proves nothing, since both keys are public; some encoders and players insist on it.
import { createHmac, randomFillSync, timingSafeEqual } from 'node:crypto'

export const HANDSHAKE_BYTES = 1536
export const VERSION = 3
const DIGEST_BYTES = 32
const VERSION_AT = 4
const GENUINE = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex')
const PLAYER_KEY = Buffer.concat([Buffer.from('Genuine Adobe Flash Player 001'), GENUINE])
const SERVER_KEY = Buffer.concat([Buffer.from('Genuine Adobe Flash Media Server 001'), GENUINE])

/** Where the four bytes are that say the offset, and what is added to it. */
const SCHEMAS = [
  { offsetAt: 8, base: 12 },
  { offsetAt: 772, base: 776 },
] as const
const OFFSETS = 728

export type Side = 'player' | 'server'
export type Schema = 0 | 1

/** The digest in C1 or S1, and where it was found; undefined if there is none. */
export function findDigest(block: Uint8Array, side: Side): { digest: Uint8Array; schema: Schema } | undefined {
  for (const schema of [0, 1] as const) {
    const at = digestAt(block, schema)
    const digest = block.subarray(at, at + DIGEST_BYTES)
    if (timingSafeEqual(digest, digestOf(block, at, shortKey(side)))) return { digest: digest.slice(), schema }
  }
  return undefined
}

/** C1 or S1: with a digest if a schema is given. `version` is that of the player or server; 0 means none. */
export function makeBlock(timeMs: number, version: number, digested?: { side: Side; schema: Schema }): Uint8Array {
  const block = Buffer.allocUnsafe(HANDSHAKE_BYTES)
  randomFillSync(block)
  block.writeUInt32BE(timeMs >>> 0, 0)
  block.writeUInt32BE(version, VERSION_AT)
  if (digested === undefined) return block
  const at = digestAt(block, digested.schema)
  block.set(digestOf(block, at, shortKey(digested.side)), at)
  return block
}

/** S2 or C2: signed for the digest of the other side's block. */
export function makeSignedAnswer(digest: Uint8Array, side: Side): Uint8Array {
  const answer = randomFillSync(Buffer.allocUnsafe(HANDSHAKE_BYTES))
  answer.set(signature(answer, digest, side), HANDSHAKE_BYTES - DIGEST_BYTES)
  return answer
}

/** Whether S2 or C2 was signed for our digest. */
export function isSigned(answer: Uint8Array, digest: Uint8Array, side: Side): boolean {
  return timingSafeEqual(answer.subarray(HANDSHAKE_BYTES - DIGEST_BYTES), signature(answer, digest, side))
}

function signature(answer: Uint8Array, digest: Uint8Array, side: Side): Uint8Array {
  const key = createHmac('sha256', side === 'server' ? SERVER_KEY : PLAYER_KEY)
    .update(digest)
    .digest()
  return createHmac('sha256', key)
    .update(answer.subarray(0, HANDSHAKE_BYTES - DIGEST_BYTES))
    .digest()
}

function digestAt(block: Uint8Array, schema: Schema): number {
  const { offsetAt, base } = SCHEMAS[schema]
  let sum = 0
  for (let at = offsetAt; at < offsetAt + 4; at++) sum += block[at]!
  return (sum % OFFSETS) + base
}

function digestOf(block: Uint8Array, at: number, key: Uint8Array): Uint8Array {
  return createHmac('sha256', key)
    .update(block.subarray(0, at))
    .update(block.subarray(at + DIGEST_BYTES))
    .digest()
}

function shortKey(side: Side): Uint8Array {
  return side === 'player' ? PLAYER_KEY.subarray(0, 30) : SERVER_KEY.subarray(0, 36)
}
