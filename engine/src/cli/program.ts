// The command line: verbs, options, help. What a verb does is in a file of its own, loaded when it is asked for.
import process from 'node:process'
import { Command, CommanderError, Option } from 'commander'
import { readEngineVersion } from '../observe/engine-version.js'
import type { CliStreams } from './cli-streams.js'
import { addConfigOptions } from './config-options.js'
import type { ConfigOptions } from './config-options.js'
import { addDescribingVerbs } from './describing-verbs.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { addAccessVerbs } from './access-verbs.js'
import { addReloadVerb } from './reload-verb.js'
import { renderFailure } from './render-failure.js'

const CHECK_FORMATS = ['text', 'json', 'github'] as const
type CheckFormat = (typeof CHECK_FORMATS)[number]

interface CheckCommandOptions extends ConfigOptions {
  readonly format: CheckFormat
  readonly strict?: boolean
  /** False for `--no-env`. */
  readonly env: boolean
  /** URL of a control API. */
  readonly against?: string
}

interface RunCommandOptions extends ConfigOptions {
  /** False for `--no-watch`. */
  readonly watch: boolean
  readonly lastGood?: boolean
}

/** Each resolves with its exit code. */
export interface Commands {
  run(files: readonly string[], options: RunCommandOptions): Promise<number>
  check(files: readonly string[], options: CheckCommandOptions): Promise<number>
  status(options: { readonly api?: string; readonly json?: boolean }): Promise<number>
}

const EXIT_CODES = `
Exit codes: 0 ok; 1 failed at run time, or not ready; 2 usage; 69 control API not reachable; 70 bug;
75 reload refused or rolled back; 78 configuration; 128+n forced by signal n.`

/** Parses the arguments, without the names of the program, and runs the verb. Never throws. */
export async function runCli(args: readonly string[], streams: CliStreams, commands: Commands): Promise<number> {
  let code: number = EXIT.ok
  const program = createProgram(streams, commands, (done) => {
    code = done
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Help and version that were asked for end with 0; everything else that commander ends is wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    streams.err.write(renderFailure(error))
    return exitCodeOf(error)
  }
}

function createProgram(streams: CliStreams, commands: Commands, done: (code: number) => void): Command {
  const program = new Command('engine')
  // Before the first .command(): sub-commands take both over when they are made.
  program.exitOverride().configureOutput({
    writeOut: (text) => void streams.out.write(text),
    writeErr: (text) => void streams.err.write(text),
  })
  program
    .description('Live MPEG transport streams through pipelines that are written in YAML.')
    .version(readEngineVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('(engine --help lists the commands)')
    .addHelpText('after', EXIT_CODES)
  addConfigOptions(program.command('run'))
    .description('run the pipelines of one or more files until stopped, or until all inputs have ended')
    .argument('<file...>', 'YAML files; their pipelines and listeners add up')
    .option('--no-watch', 'changes of the files are noted, and applied only by SIGHUP and `engine reload`')
    .option('--last-good', 'where the files have mistakes, start with what ran last, and watch the files')
    .action(async (files: string[], options: RunCommandOptions) => done(await commands.run(files, options)))
  addConfigOptions(program.command('check'))
    .description('check files without running them, and report all mistakes at once')
    .argument('<file...>', 'YAML files')
    .addOption(
      new Option('--format <format>', 'how to report; github annotates files in GitHub Actions')
        .choices(CHECK_FORMATS)
        .default('text'),
    )
    .option('--no-env', 'variables that are not set, and secrets, are no mistakes; what they stand in is not judged')
    .option('--strict', 'warnings are errors')
    .option('--against <url>', 'ask the engine at this control API what the files would change, with its variables')
    .action(async (files: string[], options: CheckCommandOptions) => done(await commands.check(files, options)))
  program
    .command('status')
    .description('show what a running engine does; exit 0 when everything is ready, 1 when not')
    .option('--json', 'print the status as JSON')
    .option('--api <url>', 'control API of the engine (or ENGINE_API; a token in ENGINE_TOKEN)')
    .action(async (options: { api?: string; json?: boolean }) => done(await commands.status(options)))
  addDescribingVerbs(program, { streams, folder: process.cwd(), done })
  addReloadVerb(program, { streams, folder: process.cwd(), done })
  addAccessVerbs(program, { streams, folder: process.cwd(), input: () => process.stdin, done })
  return program
}
