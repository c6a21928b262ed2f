// The authorities against which an upstream's certificate is verified.
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { messageOf } from '../errors.js'

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g
const MAX_CA_BYTES = 1024 * 1024

/**
 * Made once for all attempts: loading the well-known authorities takes milliseconds for each connection. `ca`: a PEM
 * file whose authorities are trusted instead of those. Rejects with an Error that says what is wrong with the file.
 */
export async function trustedAuthorities(ca: string | undefined): Promise<SecureContext> {
  if (ca === undefined) return createSecureContext()
  try {
    const status = await stat(ca)
    if (!status.isFile() || status.size > MAX_CA_BYTES) throw new Error('not a regular file of at most 1 MiB')
    const pem = await readFile(ca, 'utf8')
    const blocks = pem.match(CERTIFICATES) ?? []
    if (blocks.length === 0) throw new Error('no PEM certificate in it')
    // A secure context accepts an invalid certificate silently, and then trusts no one.
    for (const block of blocks) void new X509Certificate(block)
    return createSecureContext({ ca: pem })
  } catch (error) {
    throw new Error(`${ca}: ${messageOf(error)}`, { cause: error })
  }
}
