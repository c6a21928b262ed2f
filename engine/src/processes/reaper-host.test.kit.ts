// A program that starts processes as an engine does, for tests that kill it: prints the number of its reaper, then runs the
// shell scripts of its arguments, each as a process of its own, and prints what they write.
import process from 'node:process'
import { pino } from 'pino'
import { HiddenValues } from '../graph/hidden-values.js'
import { createClock } from '../observe/clock.js'
import { EngineProcesses } from './engine-processes.js'
import { Reaper } from './reaper.js'

const clock = createClock()
const log = pino({ base: null }, pino.destination(2))
const reaper = new Reaper({ clock, log })
const all = new EngineProcesses({ clock, log, hidden: new HiddenValues(), env: process.env, most: () => 100, reaper })
const node = all.of({ id: 'one/main', calls: { enter: (run) => run() } })
reaper.start()
process.stdout.write(`reaper ${reaper.pid}\n`)
for (const script of process.argv.slice(2)) {
  node.start(
    { command: ['sh', '-c', script], stdin: 'none', stdout: 'pipe' },
    { onOutput: (bytes) => process.stdout.write(bytes), onExit: ({ text }) => process.stdout.write(`${text}\n`) },
  )
}
// It must be killed.
setInterval(() => undefined, 1000)
