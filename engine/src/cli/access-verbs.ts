// The verbs about viewers and who may watch: `clients`, `kick`, `hash`, `link`.
import type { Command } from 'commander'
import type { CliStreams } from './cli-streams.js'
import type { SecretInput } from './read-secret.js'

export interface AccessVerbsSettings {
  readonly streams: CliStreams
  /** Below it the state folder is looked for. */
  readonly folder: string
  /** Where passwords and keys come from; not touched before one is needed. */
  input(): SecretInput
  done(code: number): void
}

interface ApiOptions {
  readonly api?: string
}

const API_OPTION = ['--api <url>', 'control API of the engine (or ENGINE_API; a token in ENGINE_TOKEN)'] as const

export function addAccessVerbs(program: Command, settings: AccessVerbsSettings): void {
  const { streams, folder, done } = settings
  program
    .command('clients')
    .description('list the viewers of a running engine')
    .option('--node <id>', 'only of this output: pipeline/node')
    .option('--json', 'print them as JSON')
    .option(...API_OPTION)
    .action(async (options: ApiOptions & { node?: string; json?: boolean }) => {
      const { showClients } = await import('./clients.js')
      done(await showClients(streams, { ...options, folder }))
    })
  program
    .command('kick')
    .description('send a viewer of a running engine away; nothing keeps it from coming back')
    .argument('<id>', 'as `engine clients` shows it')
    .option('--json', 'print who it was as JSON')
    .option(...API_OPTION)
    .action(async (id: string, options: ApiOptions & { json?: boolean }) => {
      const { kickClient } = await import('./clients.js')
      done(await kickClient(id, streams, { ...options, folder }))
    })
  program
    .command('hash')
    .description('make a scrypt hash of a password, which is read from the terminal or from stdin')
    .action(async () => {
      const { hashFromInput } = await import('./hash.js')
      done(await hashFromInput(streams, settings.input()))
    })
  program
    .command('link')
    .description('sign a link for an auth of type signed; the key is read from the terminal or from stdin')
    .argument('<url>', 'what is to be watched')
    .requiredOption('--key <id>', 'the id that the configuration has the key under')
    .option('--for <duration>', 'how long the link is good', '1h')
    .option('--prefix <path>', 'for this path instead of that of the URL; one that ends with / for all below it')
    .action(async (url: string, options: { key: string; for: string; prefix?: string }) => {
      const { linkFromInput } = await import('./link.js')
      done(await linkFromInput(url, streams, settings.input(), { ...options, unixMs: Date.now() }))
    })
}
