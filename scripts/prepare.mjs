// Prepares everything that other scripts need: a recent Node, the packages of the lockfile, compiled code. Each step is
// skipped if there is nothing to do, and reports in one line what it did.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, readJson } from './repository.mjs'
import { runCommand } from './run-command.mjs'

/** Exits if this Node is older than package.json requires. */
export function requireNode() {
  const wanted = readJson('package.json').engines.node.replace('>=', '')
  if (isOlder(process.versions.node, wanted)) {
    fail(
      `Millrace needs Node ${wanted} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
        `Get one from https://nodejs.org/en/download, or with your package manager.`,
    )
  }
}

/** Runs `npm ci` if packages are missing or older than the lockfile. */
export async function install() {
  // npm writes this file last, so an interrupted installation counts as none.
  const installed = modifiedAt('node_modules/.package-lock.json')
  if (installed >= modifiedAt('package-lock.json')) return
  // Includes development packages whatever NODE_ENV is: the compiler is one of them.
  await step('packages installed', ['npm', 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'])
}

/** Compiles what has changed, and writes the manifests of changed plugins. */
export async function build() {
  await step('built', [join(ROOT, 'node_modules/.bin/tsc'), '-b'])
  await step('manifests written', [process.execPath, join(ROOT, 'scripts/manifest.mjs')])
}

/** Prints the message and exits with code 1. */
export function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

async function step(done, command) {
  const shown = command.join(' ').replace(`${ROOT}/node_modules/.bin/`, '')
  const startedMs = performance.now()
  if (process.stderr.isTTY) process.stderr.write(`millrace: ${shown} ...`)
  const { code, output } = await runCommand(command, { cwd: ROOT })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  if (code !== 0) fail(`${output}millrace: \`${shown}\` failed with exit code ${code}`)
  process.stderr.write(`millrace: ${done} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`)
}

function modifiedAt(path) {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function isOlder(version, wanted) {
  const [have, need] = [version, wanted].map((text) => text.split('.').map(Number))
  const index = have.findIndex((part, at) => part !== need[at])
  return index >= 0 && have[index] < need[index]
}
