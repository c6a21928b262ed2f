// `engine link URL --key ID`: a signed link, for an auth of type signed.
import type { Command } from 'commander'
import { DURATION_UNITS, parseAmount } from '../../plugin/amounts.js'
import { EXIT } from '../exit-codes.js'
import { readSecret } from '../read-secret.js'
import type { Verb, VerbContext } from '../verb.js'

interface LinkOptions {
  /** Id of the key. */
  readonly key: string
  /** A duration. */
  readonly for: string
  readonly prefix?: string
}

const SHORTEST_MS = 1000

export const linkVerb = {
  declare(program: Command): Command {
    return program
      .command('link')
      .description('sign a link for an auth of type signed; the key is read from the terminal or from stdin')
      .argument('<url>', 'URL to watch')
      .requiredOption('--key <id>', 'id of the key in the configuration')
      .option('--for <duration>', 'how long the link is valid', '1h')
      .option('--prefix <path>', 'sign this path, not that of the URL; one that ends with / covers all paths below it')
  },
  /** The link goes to stdout. */
  async run(
    { streams: { out, err }, input }: Pick<VerbContext, 'streams' | 'input'>,
    url: string,
    options: LinkOptions,
  ) {
    const { signLink } = await import('../../access/signed-link.js')
    const { key: keyId, prefix } = options
    const forMs = parseAmount(options.for, DURATION_UNITS)
    const isLink = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
    const isPath = prefix === undefined || prefix.startsWith('/')
    if (forMs === undefined || forMs < SHORTEST_MS || !isLink || !isPath) {
      err.write(
        'error: a link needs an http or https URL, a duration of at least 1s, and a prefix that begins with /\n',
      )
      return EXIT.usage
    }
    const key = await readSecret(input(), err, 'key (not shown): ')
    if (key === undefined) {
      err.write('error: the key must be one line of text, and not empty\n')
      return EXIT.usage
    }
    const expires = Math.floor((Date.now() + forMs) / 1000)
    out.write(`${signLink(url, { keyId, key, expires, ...(prefix === undefined ? {} : { prefix }) })}\n`)
    return EXIT.ok
  },
} satisfies Verb
