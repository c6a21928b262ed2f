// `engine link URL --key ID`: a link for an auth of type signed.
import { signLink } from '../access/signed-link.js'
import { DURATION_UNITS, parseAmount } from '../plugin/amounts.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { readSecret, type SecretInput } from './read-secret.js'

export interface LinkCommandOptions {
  /** Id of the key. */
  readonly key: string
  /** A duration. */
  readonly for: string
  readonly prefix?: string
  /** Now. */
  readonly unixMs: number
}

/** Resolves with the exit code; the link goes to stdout. */
export async function linkFromInput(
  url: string,
  { out, err }: CliStreams,
  input: SecretInput,
  options: LinkCommandOptions,
): Promise<number> {
  const forMs = parseAmount(options.for, DURATION_UNITS)
  const isLink = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  const isPath = options.prefix === undefined || options.prefix.startsWith('/')
  if (forMs === undefined || forMs < 1000 || !isLink || !isPath) {
    err.write('error: a link needs a URL of http or https, a duration from 1s, and a prefix that begins with /\n')
    return EXIT.usage
  }
  const key = await readSecret(input, err, 'key (not shown): ')
  if (key === undefined) {
    err.write('error: a key is one line of text, and not empty\n')
    return EXIT.usage
  }
  const { prefix } = options
  const expires = Math.floor((options.unixMs + forMs) / 1000)
  out.write(`${signLink(url, { keyId: options.key, key, expires, ...(prefix === undefined ? {} : { prefix }) })}\n`)
  return EXIT.ok
}
