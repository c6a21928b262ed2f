// Asks a person before something that viewers notice.
import type { TextStream } from './cli-streams.js'
import type { SecretInput } from './read-secret.js'

/** True for `y` or `yes`. `undefined` if nobody can be asked, since the input is not a terminal. */
export async function confirm(input: SecretInput, err: TextStream, question: string): Promise<boolean | undefined> {
  if (input.isTTY !== true) return undefined
  err.write(`${question} [y/N] `)
  for await (const part of input) {
    const text = typeof part === 'string' ? part : Buffer.from(part).toString('utf8')
    return /^y(es)?\s*$/i.test(text)
  }
  return false
}
