// The bounded soak: every kind of edit at least once, in about two minutes. SOAK_SEED selects another seed.
import process from 'node:process'
import { test } from 'node:test'
import { runSoak } from './run-soak.js'

test('200 edits of every kind affect 50 viewers and two ffmpegs only as their plans announce', async (context) => {
  const seed = Number(process.env['SOAK_SEED'] ?? 1)
  const figures = await runSoak({ seed, edits: 200, minutes: 0, viewers: 50 })
  for (const line of figures.trimEnd().split('\n')) context.diagnostic(line)
})
