// The command line: collects the verbs, adds the help, and turns errors into exit codes. verbs/ has a file per verb.
import { Command, CommanderError } from 'commander'
import { readEngineVersion } from '../observe/engine-version.js'
import type { CliStreams } from './cli-streams.js'
import { commandName, withCommandName } from './command-name.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { paintedStreams } from './paint-report.js'
import { renderFailure } from './render-failure.js'
import { formatOf, renderRecord } from './stderr-format.js'
import type { Verb, VerbContext } from './verb.js'

/** Loads the verbs of one name: one, or the commands below that name. */
export type LoadVerbs = () => Promise<readonly Verb[]>

/** By the first argument, in the order of the help. */
export const VERBS: Readonly<Record<string, LoadVerbs>> = {
  run: () => import('./verbs/run.js').then(({ runVerb }) => [runVerb]),
  init: () => import('./verbs/init.js').then(({ initVerb }) => [initVerb]),
  check: () => import('./verbs/check.js').then(({ checkVerb }) => [checkVerb]),
  status: () => import('./verbs/status.js').then(({ statusVerb }) => [statusVerb]),
  top: () => import('./verbs/top.js').then(({ topVerb }) => [topVerb]),
  graph: () => import('./verbs/graph.js').then(({ graphVerb }) => [graphVerb]),
  inspect: () => import('./verbs/inspect.js').then(({ inspectVerb }) => [inspectVerb]),
  schema: () => import('./verbs/schema.js').then(({ schemaVerb }) => [schemaVerb]),
  plugins: () => import('./verbs/plugins.js').then((verbs) => [verbs.pluginsLsVerb, verbs.pluginsManifestVerb]),
  config: () => import('./verbs/config.js').then(({ configVerb }) => [configVerb]),
  doctor: () => import('./verbs/doctor.js').then(({ doctorVerb }) => [doctorVerb]),
  probe: () => import('./verbs/probe.js').then(({ probeVerb }) => [probeVerb]),
  reload: () => import('./verbs/reload.js').then(({ reloadVerb }) => [reloadVerb]),
  set: () => import('./verbs/set.js').then(({ setVerb }) => [setVerb]),
  history: () => import('./verbs/history.js').then(({ historyVerb }) => [historyVerb]),
  rollback: () => import('./verbs/rollback.js').then(({ rollbackVerb }) => [rollbackVerb]),
  clients: () => import('./verbs/clients.js').then(({ clientsVerb }) => [clientsVerb]),
  kick: () => import('./verbs/kick.js').then(({ kickVerb }) => [kickVerb]),
  command: () => import('./verbs/command.js').then(({ commandVerb }) => [commandVerb]),
  switch: () => import('./verbs/command.js').then(({ switchVerb }) => [switchVerb]),
  record: () => import('./verbs/command.js').then(({ recordVerb }) => [recordVerb]),
  restart: () => import('./verbs/node-actions.js').then(({ restartVerb }) => [restartVerb]),
  enable: () => import('./verbs/node-actions.js').then(({ enableVerb }) => [enableVerb]),
  disable: () => import('./verbs/node-actions.js').then(({ disableVerb }) => [disableVerb]),
  explain: () => import('./verbs/explain.js').then(({ explainVerb }) => [explainVerb]),
  events: () => import('./verbs/events.js').then(({ eventsVerb }) => [eventsVerb]),
  logs: () => import('./verbs/logs.js').then(({ logsVerb }) => [logsVerb]),
  tap: () => import('./verbs/tap.js').then(({ tapVerb }) => [tapVerb]),
  hash: () => import('./verbs/hash.js').then(({ hashVerb }) => [hashVerb]),
  version: () => import('./verbs/version.js').then(({ versionVerb }) => [versionVerb]),
  completion: () => import('./verbs/completion.js').then(({ completionVerb }) => [completionVerb(allCommands)]),
  link: () => import('./verbs/link.js').then(({ linkVerb }) => [linkVerb]),
}

/** These need no verb. */
const VERSION_FLAGS = ['-V', '--version']

const EXIT_CODES = `
Exit codes: 0 ok; 1 runtime failure, or not ready; 2 usage; 69 control API unreachable; 70 bug;
75 reload refused or rolled back; 78 configuration; 128+n forced by signal n.`

/** Parses the arguments, without the names of the program, and runs the verb. Never throws. */
export async function runCli(args: readonly string[], given: VerbContext, verbs = VERBS): Promise<number> {
  let code: number = EXIT.ok
  const context = { ...given, streams: paintedStreams(given.streams) }
  const { streams, bugs } = context
  const { err } = streams
  const isJson = formatOf(args, err) === 'json'
  bugs.format = isJson ? 'json' : 'text'
  // Of wrong usage: several pieces of text.
  let wrong = ''
  const program = createProgram(isJson ? { ...streams, err: { write: (text) => (wrong += text) } } : streams)
  try {
    for (const verb of await loadVerbs(args[0], verbs)) {
      const command = verb.declare(program)
      command
        .showHelpAfterError(`(${program.name()} ${nameOf(command)} --help says what it takes)`)
        .action(async (...parsed: unknown[]) => {
          // The last one is the command itself.
          code = await verb.run(context, ...parsed.slice(0, -1))
        })
    }
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Requested help and version end with 0; commander throws everything else for wrong usage.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    if (!(error instanceof CommanderError)) wrong += renderFailure(error)
    if (isJson) err.write(renderRecord('fatal', {}, wrong.trim()))
    else err.write(wrong)
    return error instanceof CommanderError ? EXIT.usage : exitCodeOf(error)
  }
}

/** With the names of the commands above it: `plugins ls`. */
function nameOf(command: Command): string {
  const { parent } = command
  return parent === null || parent.parent === null ? command.name() : `${parent.name()} ${command.name()}`
}

/** Only the verb that the first argument names, so that it starts quickly; help and usage errors need all names. */
async function loadVerbs(name: string | undefined, verbs: typeof VERBS): Promise<readonly Verb[]> {
  if (name !== undefined && VERSION_FLAGS.includes(name)) return []
  const named = name !== undefined && Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (named !== undefined) return named()
  return (await Promise.all(Object.values(verbs).map((load) => load()))).flat()
}

async function allCommands(): Promise<readonly Command[]> {
  const program = new Command('engine')
  for (const load of Object.values(VERBS)) for (const verb of await load()) verb.declare(program)
  return program.commands
}

function createProgram(streams: CliStreams): Command {
  // Before the first .command(): sub-commands copy these settings when they are created.
  const name = commandName(streams.env)
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.out.write(withCommandName(text, streams.env)),
      writeErr: (text) => void streams.err.write(text),
    })
    .description('Runs live MPEG transport stream pipelines described in YAML.')
    .version(readEngineVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError(`(${name} --help lists the commands)`)
    .addHelpText('after', EXIT_CODES)
}
