// Makes the manifest of a built plugin: imports its definitions and its error tables. Called by the build of a plugin
// (`engine plugins manifest`), and to verify that a manifest still matches the code.
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ErrorRow } from '../errors.js'
import { importPlugin } from './discover.js'
import { describeDefinition, describeErrors, renderManifest } from './manifest.js'
import type { DescribedError, Manifest } from './manifest.js'
import { pluginError } from './plugin-errors.js'
import { readPackage } from './plugin-package.js'
import type { PluginPackage } from './plugin-package.js'

/** Modules that may export an error table: the result of `defineErrors`. */
const ERRORS_MODULE = /^(?:.*-)?errors\.js$/
const NOT_OURS = new Set(['node_modules', 'test', '.git'])

/** Throws PLUGIN_IMPORT or PLUGIN_INVALID if there is nothing to describe. */
export async function makeManifest(found: PluginPackage): Promise<Manifest> {
  const { name, version, api = '', entry } = found
  const plugin = { name, entry, package: found, place: 'yaml', where: {} } as const
  const { definitions, problems } = await importPlugin(plugin)
  for (const { code, message } of problems) throw pluginError(code, message)
  const errors = await collectErrors(dirname(entry))
  return { api, package: name, version, definitions: definitions.map(describeDefinition), errors: [...errors] }
}

/** Writes the manifest of the plugin in that folder to the path in its package.json. Resolves to the path. */
export async function writeManifest(folder: string): Promise<string> {
  const found = await readPackage(folder)
  if (found.manifest === undefined) {
    throw pluginError('PLUGIN_MANIFEST', `${found.file} has no "millrace": { "manifest": "./dist/manifest.json" }`)
  }
  const text = renderManifest(await makeManifest(found))
  await mkdir(dirname(found.manifest), { recursive: true })
  await writeFile(found.manifest, text)
  return found.manifest
}

async function collectErrors(folder: string): Promise<readonly DescribedError[]> {
  const modules = existsSync(folder) ? await errorModules(folder) : []
  const found: DescribedError[] = []
  for (const path of modules) {
    const exported = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
    for (const value of Object.values(exported)) if (hasTable(value)) found.push(...describeErrors(value.table))
  }
  return found
}

async function errorModules(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const sorted = entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const lists = sorted.map((entry): Promise<readonly string[]> => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? Promise.resolve([]) : errorModules(path)
    return Promise.resolve(ERRORS_MODULE.test(entry.name) ? [path] : [])
  })
  return (await Promise.all(lists)).flat()
}

function hasTable(value: unknown): value is { readonly table: Readonly<Record<string, ErrorRow>> } {
  return typeof value === 'function' && 'table' in value && typeof value.table === 'object' && value.table !== null
}
