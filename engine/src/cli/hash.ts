// `engine hash`: a scrypt hash of a password, for `users` of an auth of type basic.
import { hashPassword, renderPasswordHash } from '../access/password-hash.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { readSecret, type SecretInput } from './read-secret.js'

/** Resolves with the exit code; the hash goes to stdout. */
export async function hashFromInput({ out, err }: CliStreams, input: SecretInput): Promise<number> {
  const password = await readSecret(input, err, 'password (not shown): ')
  // A browser can't send them.
  if (password === undefined || /\p{Cc}/u.test(password)) {
    err.write('error: a password is one line of text, and not empty\n')
    return EXIT.usage
  }
  out.write(`${renderPasswordHash(await hashPassword(password))}\n`)
  return EXIT.ok
}
