// A program that uses up its file descriptors, starts processes all the same, frees them and starts them again, for a test
// that limits it: prints what each of them gave as a line of JSON.
import { closeSync, openSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestProcesses } from './processes.test.kit.js'
import { ProgramInspector } from './program-inspector.js'

await using processes = new TestProcesses()
const ask = new ProgramInspector().of('/bin/echo')

async function tryAll(): Promise<void> {
  const { exited, output } = processes.start(['echo', 'hello'])
  const { failure } = await exited
  const answer = await ask(['hello'])
  process.stdout.write(`${JSON.stringify({ output: output(), failure: failure?.message ?? null, answer })}\n`)
}

// With all of them taken, and with ever more left: the process or its reaper may get what it needs, or some of it.
const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  // That was the last one.
}
for (let left = 0; left < 24 && taken.length > 0; left++) {
  await tryAll()
  closeSync(taken.pop() ?? -1)
}
for (const descriptor of taken) closeSync(descriptor)
// An error that nothing hears comes in a later turn of the event loop.
await sleep(100)
await tryAll()
