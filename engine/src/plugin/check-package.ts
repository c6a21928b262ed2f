// Whether a plugin's package fits this engine, judged by its package.json and by where Node would find its imports: the
// version of the contract, and the packages that it shares with the engine. Its module is not run.
import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PluginErrorCode } from './plugin-errors.js'
import { findPackage } from './plugin-package.js'
import { PLUGIN_API } from './api-version.js'
import type { PluginPackage } from './plugin-package.js'

/** Packages that a plugin names in `peerDependencies`, so that it shares the engine's copy. */
const PEERS = ['@millrace/engine', 'rxjs', 'zod']
/** Two copies of these are no reason to refuse a plugin: schemas and observables are recognised by their shape. */
const SHARED = ['rxjs', 'zod']

export interface PackageFault {
  readonly code: PluginErrorCode
  readonly message: string
  /** The plugin works nevertheless. */
  readonly severity?: 'warning'
}

/** What is wrong with it, as far as it shows without running it. */
export async function checkPackage(found: PluginPackage): Promise<readonly PackageFault[]> {
  const { name, api, folder, peers } = found
  const ours = `${PLUGIN_API.major}.${PLUGIN_API.minor}`
  if (api === undefined) {
    return [{ code: 'PLUGIN_API', message: `plugin "${name}" has no "millrace": { "api": "^${ours}" }` }]
  }
  if (!fitsApi(api)) {
    return [{ code: 'PLUGIN_API', message: `plugin "${name}" needs API ${api}, this engine has ${ours}` }]
  }
  const missing = PEERS.filter((peer) => peers.includes(peer) && findPackage(peer, folder) === undefined)
  if (missing.length > 0) {
    const message = `plugin "${name}" needs ${missing.join(' and ')}, which cannot be found from ${folder}`
    return [{ code: 'PLUGIN_PEER', message }]
  }
  const copies = await Promise.all(SHARED.map((shared) => secondCopy(shared, found)))
  return copies.filter((fault) => fault !== undefined)
}

/** Whether `millrace.api` of a plugin allows this engine: `^1.0`, `1.0`, `1.x`, alternatives with `||`. */
export function fitsApi(range: string): boolean {
  return range.split('||').some((part) => {
    const match = /^(\^?)v?(\d{1,6})(?:\.(\d{1,6}|x|\*))?(?:\.(\d{1,6}|x|\*))?$/.exec(part.trim())
    if (match === null || Number(match[2]) !== PLUGIN_API.major) return false
    const minor = Number(match[3])
    if (Number.isNaN(minor)) return true
    return match[1] === '^' ? minor <= PLUGIN_API.minor : minor === PLUGIN_API.minor
  })
}

async function secondCopy(shared: string, { name, folder }: PluginPackage): Promise<PackageFault | undefined> {
  const ours = findPackage(shared, dirname(fileURLToPath(import.meta.url)))
  const theirs = findPackage(shared, folder)
  if (ours === undefined || theirs === undefined) return undefined
  const [ourFolder, theirFolder] = await Promise.all([realpath(ours), realpath(theirs)])
  if (ourFolder === theirFolder) return undefined
  const [our, their] = await Promise.all([versionIn(ourFolder), versionIn(theirFolder)])
  const message = `plugin "${name}" has its own copy of ${shared} ${their}, the engine has ${shared} ${our}`
  return { code: 'PLUGIN_COPIES', message, severity: 'warning' }
}

async function versionIn(folder: string): Promise<string> {
  try {
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version?: unknown }
    return typeof version === 'string' ? version : 'without a version'
  } catch {
    return 'without a version'
  }
}
