// The entry of the command line; engine/bin/engine.js imports it.
import process from 'node:process'
import { exitOnBugs } from './bug-exit.js'
import type { CliStreams } from './cli-streams.js'
import { loadOptionsOf } from './config-options.js'
import { runCli } from './program.js'
import type { RunDependencies } from './run.js'

// A reader that has gone (`| head`) or a full disk must not end a running engine.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

const bugs = exitOnBugs(process, process.stderr)
const streams: CliStreams = { out: process.stdout, err: process.stderr, env: process.env }

const code = await runCli(process.argv.slice(2), streams, {
  async run(files, options) {
    const { runFiles } = await import('./run.js')
    const { loadConfig } = await import('../config/load-config.js')
    const { startEngine } = await import('../compose.js')
    // Arguments show in the list of processes; what a --set says is for this process only.
    if (options.set !== undefined) process.title = ['engine', 'run', ...files].join(' ')
    const { watch, lastGood } = options
    const more = { ...loadOptionsOf(options), watch, lastGood }
    const start: RunDependencies['startEngine'] = async (graph, { log, onBuilt }) => {
      const engine = await startEngine(graph, { log, onBuilt })
      const { ended } = engine
      const stop = (reason: string): Promise<void> => engine.stop(reason)
      return { ended, stop, status: () => engine.status(), urls: () => engine.urls(), supervised: engine }
    }
    return runFiles(files, streams, { loadConfig, startEngine: start, signals: process, bugs }, more)
  },
  async check(files, { format, strict, env, against, ...options }) {
    if (against !== undefined) {
      const { checkAgainst } = await import('./check-against.js')
      return checkAgainst(files, streams, { format, strict, api: against, folder: process.cwd() })
    }
    const { runCheck } = await import('./check.js')
    return runCheck(files, { format, strict, noEnv: !env, ...loadOptionsOf(options), ...streams })
  },
  async status(options) {
    const { showStatus } = await import('./status.js')
    return showStatus(streams, { ...options, folder: process.cwd() })
  },
})
// Writes to stdout and stderr are done when they return, but for pipes on Windows, so nothing is cut off.
process.exit(code)
