// The entry point of the command line; engine/bin/engine.js imports it.
import process from 'node:process'
import { exitOnBugs } from './bug-exit.js'
import type { CliStreams } from './cli-streams.js'
import { flushStream } from './flush-stream.js'
import { logWarnings } from './process-warnings.js'
import { runCli } from './program.js'

// A closed pipe (`| head`) or a full disk must not end a running engine.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

const bugs = exitOnBugs(process, process.stderr)
logWarnings(process, bugs, process.stderr)
const streams: CliStreams = { out: process.stdout, err: process.stderr, env: process.env }
const folder = process.cwd()
const code = await runCli(process.argv.slice(2), {
  streams,
  folder,
  input: () => process.stdin,
  signals: process,
  bugs,
})
await Promise.all([flushStream(process.stdout), flushStream(process.stderr)])
process.exit(code)
