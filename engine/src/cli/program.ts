// The command line: collects the verbs, adds the help, and turns errors into exit codes. verbs/ has a file per verb.
import { Command, CommanderError } from 'commander'
import { readEngineVersion } from '../observe/engine-version.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { renderFailure } from './render-failure.js'
import type { Verb, VerbContext } from './verb.js'

/** Loads the verbs of one name: one, or the commands below that name. */
export type LoadVerbs = () => Promise<readonly Verb[]>

/** By the first argument, in the order of the help. */
export const VERBS: Readonly<Record<string, LoadVerbs>> = {
  run: () => import('./verbs/run.js').then(({ runVerb }) => [runVerb]),
  check: () => import('./verbs/check.js').then(({ checkVerb }) => [checkVerb]),
  status: () => import('./verbs/status.js').then(({ statusVerb }) => [statusVerb]),
  graph: () => import('./verbs/graph.js').then(({ graphVerb }) => [graphVerb]),
  inspect: () => import('./verbs/inspect.js').then(({ inspectVerb }) => [inspectVerb]),
  schema: () => import('./verbs/schema.js').then(({ schemaVerb }) => [schemaVerb]),
  plugins: () => import('./verbs/plugins.js').then((verbs) => [verbs.pluginsLsVerb, verbs.pluginsManifestVerb]),
  config: () => import('./verbs/config.js').then(({ configVerb }) => [configVerb]),
  doctor: () => import('./verbs/doctor.js').then(({ doctorVerb }) => [doctorVerb]),
  reload: () => import('./verbs/reload.js').then(({ reloadVerb }) => [reloadVerb]),
  clients: () => import('./verbs/clients.js').then(({ clientsVerb }) => [clientsVerb]),
  kick: () => import('./verbs/kick.js').then(({ kickVerb }) => [kickVerb]),
  command: () => import('./verbs/command.js').then(({ commandVerb }) => [commandVerb]),
  hash: () => import('./verbs/hash.js').then(({ hashVerb }) => [hashVerb]),
  link: () => import('./verbs/link.js').then(({ linkVerb }) => [linkVerb]),
}

/** These need no verb. */
const VERSION_FLAGS = ['-V', '--version']

const EXIT_CODES = `
Exit codes: 0 ok; 1 runtime failure, or not ready; 2 usage; 69 control API unreachable; 70 bug;
75 reload refused or rolled back; 78 configuration; 128+n forced by signal n.`

/** Parses the arguments, without the names of the program, and runs the verb. Never throws. */
export async function runCli(args: readonly string[], context: VerbContext, verbs = VERBS): Promise<number> {
  let code: number = EXIT.ok
  const program = createProgram(context.streams)
  try {
    for (const verb of await loadVerbs(args[0], verbs)) {
      verb.declare(program).action(async (...parsed: unknown[]) => {
        // The last one is the command itself.
        code = await verb.run(context, ...parsed.slice(0, -1))
      })
    }
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Requested help and version end with 0; commander throws everything else for wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    context.streams.err.write(renderFailure(error))
    return exitCodeOf(error)
  }
}

/** Only the verb that the first argument names, so that it starts quickly; help and usage errors need all names. */
async function loadVerbs(name: string | undefined, verbs: typeof VERBS): Promise<readonly Verb[]> {
  if (name !== undefined && VERSION_FLAGS.includes(name)) return []
  const named = name !== undefined && Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (named !== undefined) return named()
  return (await Promise.all(Object.values(verbs).map((load) => load()))).flat()
}

function createProgram(streams: CliStreams): Command {
  // Before the first .command(): sub-commands copy these settings when they are created.
  return new Command('engine')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.out.write(text),
      writeErr: (text) => void streams.err.write(text),
    })
    .description('Runs live MPEG transport stream pipelines described in YAML.')
    .version(readEngineVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('(engine --help lists the commands)')
    .addHelpText('after', EXIT_CODES)
}
