// The verb `reload`.
import type { Command } from 'commander'
import type { VerbContext } from './describing-verbs.js'

interface ReloadCommandOptions {
  readonly plan?: boolean
  readonly json?: boolean
  readonly api?: string
}

export function addReloadVerb(program: Command, { streams, folder, done }: VerbContext): void {
  program
    .command('reload')
    .description('let a running engine read its files again and apply them; viewers stay wherever they can')
    .option('--plan', 'only say what would change, and which viewers would stay')
    .option('--json', 'print the report as JSON')
    .option('--api <url>', 'control API of the engine (or ENGINE_API; a token in ENGINE_TOKEN)')
    .action(async (options: ReloadCommandOptions) => {
      const { reloadEngine } = await import('./reload.js')
      done(await reloadEngine(streams, { ...options, folder }))
    })
}
