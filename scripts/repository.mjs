// The layout of this repository, for the other scripts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

/** Folders without sources of ours. */
const FOREIGN = new Set(['node_modules', 'dist', '.git', '.millrace'])

/** Reads a JSON file, by its path in the repository. */
export function readJson(path) {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
}

/**
 * Every workspace: its folder in the repository and its package.json.
 * @returns {{ folder: string, manifest: Record<string, any> }[]}
 */
export function listWorkspaces() {
  return readJson('package.json')
    .workspaces.flatMap((pattern) => (pattern.endsWith('/*') ? foldersIn(pattern.slice(0, -2)) : [pattern]))
    .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson(join(folder, 'package.json')) }))
}

/** The workspaces that are published. */
export function listPublished() {
  return listWorkspaces().filter(({ manifest }) => manifest.private !== true)
}

/** The workspaces that are plugins. */
export function listPlugins() {
  return listWorkspaces().filter(({ manifest }) => manifest.keywords?.includes('millrace-plugin'))
}

/** Paths, in the repository and sorted, of the files below a folder for which `wanted` holds. */
export function listFiles(folder, wanted) {
  const top = join(ROOT, folder)
  return existsSync(top) ? walk(top).filter(wanted).sort() : []
}

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return FOREIGN.has(entry.name) ? [] : walk(path)
    return entry.isFile() ? [relative(ROOT, path)] : []
  })
}

function foldersIn(folder) {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .sort()
}
