// Checks that no runtime dependency runs a script on installation, or builds or downloads native code: `npm install
// @millrace/...` downloads files and does nothing else.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, readJson } from './repository.mjs'

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']

/** @returns {Promise<string[]>} the faults */
export async function checkDependencies() {
  const { packages } = readJson('package-lock.json')
  return Object.entries(packages).flatMap(([path, entry]) => (isRuntime(path, entry) ? faultsOf(path, entry) : []))
}

function isRuntime(path, entry) {
  return path !== '' && entry.link !== true && entry.dev !== true && entry.devOptional !== true
}

function faultsOf(path, entry) {
  if (!existsSync(join(ROOT, path, 'package.json'))) {
    return entry.optional || entry.peer ? [] : [`${path}: in the lockfile, but not installed`]
  }
  const { scripts = {}, gypfile } = readJson(join(path, 'package.json'))
  // npm runs `prepare` and `prepublish` only for workspaces, not for packages that it downloads.
  const watched = path.startsWith('node_modules/') ? INSTALL_SCRIPTS.slice(0, 3) : INSTALL_SCRIPTS
  return [
    ...watched.filter((name) => name in scripts).map((name) => `${path}: ${name} script: ${scripts[name]}`),
    ...(gypfile === true || existsSync(join(ROOT, path, 'binding.gyp')) ? [`${path}: builds native code`] : []),
    ...readdirSync(join(ROOT, path))
      .filter((name) => name.endsWith('.node'))
      .map((name) => `${path}: native code: ${name}`),
  ]
}
