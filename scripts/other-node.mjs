// Runs a script on another version of Node: of npm's package `node`, installed into a temporary folder that is gone at the
// end. That Node comes first in the PATH, so that child processes that look for `node` there run on it too.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fail } from './prepare.mjs'
import { ROOT } from './repository.mjs'
import { runCommand } from './run-command.mjs'

/**
 * Ends the process if that version cannot be installed.
 *
 * @param {string} version major, or more of it: `24`, `24.21`
 * @param {readonly string[]} script path below the root, and its arguments
 * @returns {Promise<number>} exit code of the script
 */
export async function runWithNode(version, script) {
  if (!/^\d+(\.\d+){0,2}$/.test(version)) fail(`millrace: ${version} is no version of Node; use one such as 24`)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-node-'))
  // Signals end the process by `exit` too.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const bin = await installNode(version, folder)
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
  const { code } = await runCommand([join(bin, 'node'), ...script], { cwd: ROOT, show: true, env })
  return code
}

/** Resolves to the folder that holds the program. */
async function installNode(version, folder) {
  // A script of the package fetches the program for this system.
  const flags = ['--ignore-scripts=false', '--no-audit', '--no-fund', '--no-save', '--prefix', folder]
  const { code, output } = await runCommand(['npm', 'install', ...flags, `node@${version}`], { cwd: folder })
  if (code !== 0) fail(`${output}millrace: Node ${version} could not be installed (npm exited with code ${code})`)
  const bin = join(folder, 'node_modules', 'node', 'bin')
  const asked = await runCommand([join(bin, 'node'), '--version'], { cwd: folder })
  const found = asked.output.trim().replace(/^v/, '')
  if (asked.code !== 0 || !`${found}.`.startsWith(`${version}.`)) {
    fail(`${output}${asked.output}millrace: Node ${version} was installed by npm, but does not run`)
  }
  process.stderr.write(`millrace: installed Node ${found} beside Node ${process.versions.node}\n`)
  return bin
}
