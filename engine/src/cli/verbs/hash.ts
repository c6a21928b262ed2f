// `engine hash`: the scrypt hash of a password, for `users` of an auth of type basic.
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.js'
import { readSecret } from '../read-secret.js'
import type { Verb, VerbContext } from '../verb.js'

export const hashVerb = {
  declare(program: Command): Command {
    return program
      .command('hash')
      .description('hash a password with scrypt; the password is read from the terminal or from stdin')
  },
  /** The hash goes to stdout. */
  async run({ streams: { out, err }, input }: Pick<VerbContext, 'streams' | 'input'>) {
    const { hashPassword, renderPasswordHash } = await import('../../access/password-hash.js')
    const password = await readSecret(input(), err, 'password (not shown): ')
    // A browser can't send control characters.
    if (password === undefined || /\p{Cc}/u.test(password)) {
      err.write('error: the password must be one line of text, and not empty\n')
      return EXIT.usage
    }
    out.write(`${renderPasswordHash(await hashPassword(password))}\n`)
    return EXIT.ok
  },
} satisfies Verb
