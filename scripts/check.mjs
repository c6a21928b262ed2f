// `npm run check`: all checks that a change must pass, one line per step. Every step runs, so that one run shows all
// faults. `--no-tests` leaves the tests out.
import { join } from 'node:path'
import { checkLinks } from './check-links.mjs'
import { checkPackages } from './check-packages.mjs'
import { checkDependencies } from './check-dependencies.mjs'
import { checkSources } from './check-sources.mjs'
import { fail, install, requireNode } from './prepare.mjs'
import { ROOT } from './repository.mjs'
import { runCommand } from './run-command.mjs'

const bin = (name) => join(ROOT, 'node_modules/.bin', name)
const script = (name) => [process.execPath, join(ROOT, 'scripts', name)]

/** A step is a command, or a function that resolves to the faults it found. */
const STEPS = [
  { name: 'build', run: [bin('tsc'), '-b'], last: true },
  { name: 'manifests', run: script('manifest.mjs'), last: true },
  { name: 'manifests match', run: [...script('manifest.mjs'), '--check'] },
  { name: 'lint rules', run: [...script('lint-config.mjs'), '--check'] },
  { name: 'lint', run: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'dead code', run: [bin('knip'), '--no-progress'] },
  { name: 'test-only files', run: [bin('knip'), '--no-progress', '--production', '--include=files'] },
  { name: 'format', run: [bin('prettier'), '--check', '--log-level=warn', '.'] },
  { name: 'generated docs', run: [...script('docs.mjs'), '--check'] },
  { name: 'sources', run: checkSources },
  { name: 'links', run: checkLinks },
  { name: 'dependencies', run: checkDependencies },
  { name: 'packages', run: checkPackages },
  { name: 'tests', run: script('test.mjs'), show: true },
]

requireNode()
await install()

const chosen = STEPS.filter(({ name }) => name !== 'tests' || !process.argv.includes('--no-tests'))
const failed = []
for (const step of chosen) {
  const startedMs = performance.now()
  const faults = await runStep(step)
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(`${faults === undefined ? 'ok    ' : 'FAILED'}  ${step.name.padEnd(16)}${seconds.padStart(6)} s`)
  if (faults === undefined) continue
  failed.push(step.name)
  console.log(faults.trimEnd().replace(/^/gm, '        '))
  // Later steps need the output of this one.
  if (step.last) break
}
if (failed.length > 0) fail(`check failed: ${failed.join(', ')}`)
console.log('check passed')

/** Resolves to the text of the faults, or to undefined. */
async function runStep({ run, show = false }) {
  if (typeof run === 'function') {
    const faults = await run()
    return faults.length > 0 ? faults.join('\n') : undefined
  }
  const { code, output } = await runCommand(run, { cwd: ROOT, show })
  return code === 0 ? undefined : output
}
