// `npm run soak -- [--minutes N] [--edits N] [--seed N] [--viewers N]`: a soak of any length, run by hand.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { runSoak } from './run-soak.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0' },
    edits: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    viewers: { type: 'string', default: '50' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const [minutes, edits, seed, viewers] = [values.minutes, values.edits, values.seed, values.viewers].map(Number)
const startMs = performance.now()
process.stderr.write(`soak: seed ${seed}\n`)
try {
  const figures = await runSoak({
    seed: seed ?? 0,
    edits: edits === 0 && minutes === 0 ? 200 : (edits ?? 0),
    minutes: minutes ?? 0,
    viewers: viewers ?? 50,
    ...(values.only === undefined ? {} : { only: values.only.split(',') }),
    onEdit: (number, kind) => {
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
      if (values.verbose || number % 50 === 0) process.stderr.write(`soak: ${seconds} s, edit ${number}: ${kind}\n`)
    },
  })
  process.stdout.write(figures)
} catch (error) {
  process.stderr.write(`soak: FAILED: ${describeError(error)}\n`)
  process.exitCode = 1
}

/** The fault, and what failed after it: Node 20 has no SuppressedError of its own. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!('suppressed' in error) || !('error' in error)) return error.message
  return `${describeError(error.suppressed)}\n\nthen: ${describeError(error.error)}`
}
