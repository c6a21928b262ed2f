// `engine run FILE...`: runs the pipelines of the files until a signal arrives or all inputs have ended.
import process from 'node:process'
import type { Command } from 'commander'
import { addConfigOptions, FILES_HELP, loadOptionsOf } from '../config-options.js'
import type { ConfigOptions } from '../config-options.js'
import type { RunDependencies } from '../run-files.js'
import type { Verb, VerbContext } from '../verb.js'

interface RunVerbOptions extends ConfigOptions {
  /** False for `--no-watch`. */
  readonly watch: boolean
  readonly lastGood?: boolean
}

export const runVerb = {
  declare(program: Command): Command {
    return addConfigOptions(program.command('run'))
      .description('run the pipelines of one or more files until stopped, or until all inputs have ended')
      .argument('<file...>', FILES_HELP)
      .option('--no-watch', 'apply changes of the files only on SIGHUP or `engine reload`')
      .option('--last-good', 'if the files have mistakes, start the last good configuration, and watch the files')
  },
  async run({ streams, signals, bugs }: VerbContext, files: readonly string[], options: RunVerbOptions) {
    const { runFiles } = await import('../run-files.js')
    const { loadConfig } = await import('../../config/load-config.js')
    const { startEngine } = await import('../../compose/start-engine.js')
    // Arguments are visible in the process list; a value of --set is for this process only.
    if (options.set !== undefined) process.title = ['engine', 'run', ...files].join(' ')
    const { watch, lastGood } = options
    const start: RunDependencies['startEngine'] = async (graph, { log, onBuilt }) => {
      const engine = await startEngine(graph, { log, onBuilt })
      const { ended } = engine
      const stop = (reason: string): Promise<void> => engine.stop(reason)
      return { ended, stop, status: () => engine.status(), urls: () => engine.urls(), supervised: engine }
    }
    const dependencies = { loadConfig, startEngine: start, signals, bugs }
    return runFiles(files, streams, dependencies, { ...loadOptionsOf(options), watch, lastGood })
  },
} satisfies Verb
