// The bounded soak: every kind of edit at least once, in about two minutes. SOAK_SEED selects another seed.
import process from 'node:process'
import { test } from 'node:test'
import { runSoak } from './run-soak.js'

/** The engine tries for 10 s whether they can be opened. */
const SLOW = ['a UDP port in use', 'a program that does not exist']

test('200 edits of every kind affect 50 viewers, two ffmpegs, publishers and programs only as their plans announce', async (context) => {
  const seed = Number(process.env['SOAK_SEED'] ?? 1)
  const figures = await runSoak({ seed, edits: 200, minutes: 0, viewers: 50, except: SLOW })
  for (const line of figures.trimEnd().split('\n')) context.diagnostic(line)
})
