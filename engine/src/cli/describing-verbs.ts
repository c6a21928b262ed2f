// The verbs that look at files, plugins and the machine, and change nothing: graph, inspect, schema, plugins, config,
// doctor.
import { Option } from 'commander'
import type { Command } from 'commander'
import type { CliStreams } from './cli-streams.js'
import { addConfigOptions, loadOptionsOf } from './config-options.js'
import type { ConfigOptions } from './config-options.js'
import { EXIT } from './exit-codes.js'

export interface VerbContext {
  readonly streams: CliStreams
  /** The working folder. */
  readonly folder: string
  /** Called with the exit code. */
  done(code: number): void
}

interface FileOption {
  readonly file?: string
}

interface JsonOption {
  readonly json?: boolean
}

interface EnvOption extends ConfigOptions, JsonOption {
  /** False for `--no-env`. */
  readonly env: boolean
}

const FILES = 'YAML files; their pipelines and listeners add up'
const JSON_HELP = 'print as JSON'
const NO_ENV = 'variables that are not set, and secrets, are no mistakes'

/** Adds the verbs. What each does is loaded when it is asked for. */
export function addDescribingVerbs(program: Command, context: VerbContext): void {
  addGraph(program, context)
  addInspect(program, context)
  addSchema(program, context)
  addPlugins(program, context)
  addConfig(program, context)
  addDoctor(program, context)
}

function addGraph(program: Command, { streams, done }: VerbContext): void {
  addConfigOptions(program.command('graph'))
    .description('draw the pipelines of files, with their edges and ports')
    .argument('<file...>', FILES)
    .addOption(new Option('--format <format>', 'how to draw').choices(['ascii', 'mermaid', 'dot']).default('ascii'))
    .option('--json', JSON_HELP)
    .action(async (files: string[], options: ConfigOptions & JsonOption & { format: 'ascii' | 'mermaid' | 'dot' }) => {
      const { showGraph } = await import('./graph.js')
      const { format, json } = options
      const load = { env: streams.env, ...loadOptionsOf(options), noEnv: true }
      done(await showGraph(files, streams, { ...load, format, json }))
    })
}

function addInspect(program: Command, { streams, folder, done }: VerbContext): void {
  addFile(program.command('inspect'))
    .description('describe a type of node: options, defaults, metrics, errors, examples; without a type, list all')
    .argument('[type]', 'a type, or kind/type: file, input/file')
    .option('--json', JSON_HELP)
    .action(async (type: string | undefined, options: FileOption & JsonOption) => {
      const { inspectType } = await import('./inspect.js')
      done(await inspectType(type, streams, { ...options, folder }))
    })
}

function addSchema(program: Command, { streams, folder, done }: VerbContext): void {
  addFile(program.command('schema'))
    .description('print the JSON Schema of configuration files, with the plugins that are installed, for editors')
    .option('--write <path>', 'write it to a file, and print the line that tells an editor about it')
    .action(async (options: FileOption & { write?: string }) => {
      const { showSchema } = await import('./schema.js')
      done(await showSchema(streams, { ...options, folder }))
    })
}

function addPlugins(program: Command, { streams, folder, done }: VerbContext): void {
  const plugins = program.command('plugins').description('what is installed, and the manifests by which it is known')
  addFile(plugins.command('ls'))
    .description('list the plugins from their manifests, without running them')
    .option('--json', JSON_HELP)
    .option('--verify', 'run them, and compare what they say with their manifests')
    .action(async (options: FileOption & JsonOption & { verify?: boolean }) => {
      const { listPlugins } = await import('./plugins.js')
      done(await listPlugins(streams, { ...options, folder }))
    })
  plugins
    .command('manifest')
    .description('write the manifest of a plugin: a step of its build')
    .argument('[folder]', 'folder of the plugin', '.')
    .action(async (plugin: string) => {
      const { makePluginManifest } = await import('./plugins.js')
      done(await makePluginManifest(streams, plugin, folder))
    })
}

function addConfig(program: Command, { streams, folder, done }: VerbContext): void {
  addConfigOptions(program.command('config'))
    .description('print the configuration that applies: variables filled in, defaults said, secrets as ***')
    .argument('[file...]', `${FILES}; by default what a running engine runs`)
    .option('--diff', 'of a running engine: what its files say against what runs; exit 1 if they differ')
    .option('--no-env', NO_ENV)
    .option('--json', JSON_HELP)
    .option('--api <url>', 'control API of the engine (or ENGINE_API; a token in ENGINE_TOKEN)')
    .action(async (files: string[], options: EnvOption & { diff?: boolean; api?: string }) => {
      if (files.length === 0) {
        const { showRunningConfig } = await import('./running-config.js')
        return done(await showRunningConfig(streams, { ...options, folder }))
      }
      if (options.diff === true || options.api !== undefined) {
        streams.err.write('error: --diff and --api are for a running engine, without files\n')
        return done(EXIT.usage)
      }
      const { showConfig } = await import('./config.js')
      const load = { env: streams.env, ...loadOptionsOf(options), noEnv: !options.env }
      done(await showConfig(files, streams, { ...load, json: options.json }))
    })
}

function addDoctor(program: Command, { streams, folder, done }: VerbContext): void {
  addConfigOptions(program.command('doctor'))
    .description('look whether this machine can run the engine, and files if they are named; exit 1 if not')
    .argument('[file...]', FILES)
    .option('--no-env', NO_ENV)
    .option('--json', JSON_HELP)
    .action(async (files: string[], options: EnvOption) => {
      const { runDoctor } = await import('./doctor.js')
      const load = { env: streams.env, ...loadOptionsOf(options), noEnv: !options.env }
      done(await runDoctor(files, streams, { ...load, json: options.json, folder }))
    })
}

function addFile(command: Command): Command {
  return command.option('-f, --file <file>', 'a YAML file whose plugins count; by default those of this folder')
}
