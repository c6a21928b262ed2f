// `engine run FILE...`: runs the pipelines of the files until a signal arrives or all inputs have ended.
import process from 'node:process'
import { Option } from 'commander'
import type { Command } from 'commander'
import { addConfigOptions, FILES_HELP, loadOptionsOf } from '../config-options.js'
import type { ConfigOptions } from '../config-options.js'
import { LOG_LEVELS } from '../../graph/graph.js'
import type { RunDependencies } from '../run-files.js'
import { LOG_FORMATS, type LogFormat } from '../stderr-format.js'
import type { Verb, VerbContext } from '../verb.js'

interface RunVerbOptions extends ConfigOptions {
  /** False for `--no-watch`. */
  readonly watch: boolean
  readonly lastGood?: boolean
  readonly tui?: boolean
  readonly logFormat?: LogFormat
  readonly logLevel?: string
}

export const runVerb = {
  declare(program: Command): Command {
    return addConfigOptions(program.command('run'))
      .description('run the pipelines of one or more files until stopped, or until all inputs have ended')
      .argument('<file...>', FILES_HELP)
      .option('--no-watch', 'apply changes of the files only on SIGHUP or `engine reload`')
      .option('--tui', 'show the dashboard, as `engine top` does; the log goes to a file meanwhile')
      .addOption(
        new Option('--log-format <format>', 'of the log on stderr; by default text on a terminal, else json').choices(
          LOG_FORMATS,
        ),
      )
      .addOption(new Option('--log-level <level>', 'as `--set engine.log.level=...`').choices(LOG_LEVELS))
      .option('--last-good', 'if the files have mistakes, start the last good configuration, and watch the files')
  },
  async run({ streams, signals, bugs }: VerbContext, files: readonly string[], options: RunVerbOptions) {
    const { runFiles } = await import('../run-files.js')
    const { loadConfig } = await import('../../config/load-config.js')
    const { startEngine } = await import('../../compose/start-engine.js')
    // Arguments are visible in the process list; a value of --set is for this process only.
    if (options.set !== undefined) process.title = ['engine', 'run', ...files].join(' ')
    const { watch, lastGood, logFormat, logLevel } = options
    const sets = [...(options.set ?? []), ...(logLevel === undefined ? [] : [`engine.log.level=${logLevel}`])]
    const start: RunDependencies['startEngine'] = async (graph, { log, onBuilt }) => {
      const engine = await startEngine(graph, { log, onBuilt })
      const { ended } = engine
      const stop = (reason: string): Promise<void> => engine.stop(reason)
      return { ended, stop, status: () => engine.status(), urls: () => engine.urls(), supervised: engine }
    }
    const { attachDashboard } = await import('../attached-dashboard.js')
    await using dashboard = options.tui === true ? attachDashboard(streams) : undefined
    const dependencies = { loadConfig, startEngine: start, signals, bugs, ...dashboard?.dependencies }
    return await runFiles(files, streams, dependencies, {
      ...loadOptionsOf({ ...options, set: sets }),
      watch,
      lastGood,
      logFormat,
    })
  },
} satisfies Verb
