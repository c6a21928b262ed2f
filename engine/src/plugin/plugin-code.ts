// Detects that the code of a plugin has changed on disk under the running process: Node keeps each module that it has
// loaded, so the old code would keep running. A fingerprint covers names, sizes and times of files, not their contents.
import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AnyDefinition } from './auth-definition.js'
import type { PluginPackage } from './plugin-package.js'

export interface PluginCode {
  /** The package's name, or the path as written in the YAML. */
  readonly name: string
  /**
   * The fingerprint of the code that this process has loaded, and of the code on disk when the plugin was looked up.
   */
  readonly loaded: string
  readonly onDisk: string
  readonly definitions: readonly AnyDefinition[]
  /** Absolute path of its module; undefined if there is no file. */
  readonly entry?: string | undefined
  /** The real path of its package; undefined for a module that the YAML names by path. */
  readonly folder?: string | undefined
}

/** The folder of a module may contain anything. */
const MOST_FILES = 256
/** A module that the YAML names by path may lie next to YAML and media files. */
const CODE_FILE = /\.(?:[cm]?js|node|wasm)$/
/** Registered, so that two copies of the engine agree. */
const PRINT = Symbol.for('millrace.codePrint')

/** The fingerprint of the code files in the folder of a plugin's module, and of its package.json. Never throws. */
export async function printCode({
  entry,
  package: owner,
}: {
  readonly entry: string
  readonly package: PluginPackage | undefined
}): Promise<string> {
  const folder = dirname(entry)
  const names = (await readdir(folder).catch(() => [])).filter((name) => CODE_FILE.test(name)).sort()
  const paths = names.slice(0, MOST_FILES).map((name) => join(folder, name))
  const lines = await Promise.all([entry, ...(owner === undefined ? [] : [owner.file]), ...paths].map(lineOf))
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)
}

/**
 * What is known about a plugin whose definitions have just been imported. `onDisk` must be taken before the import, so
 * that files that change meanwhile count as changed. The definitions carry their first fingerprint for as long as the
 * process keeps their module.
 */
export function codeOf(name: string, onDisk: string, definitions: readonly AnyDefinition[]): PluginCode {
  const prints = definitions.map((definition) => loadedPrint(definition, onDisk))
  return { name, loaded: prints[0] ?? onDisk, onDisk, definitions }
}

function loadedPrint(definition: AnyDefinition, onDisk: string): string {
  const carrier = definition as { readonly [PRINT]?: string }
  const known = carrier[PRINT]
  if (known !== undefined) return known
  // A frozen definition can't carry it, and counts as unchanged.
  if (Object.isExtensible(definition)) Object.defineProperty(definition, PRINT, { value: onDisk })
  return onDisk
}

async function lineOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? `${path} gone` : `${path} ${found.size} ${found.mtimeMs}`
}
