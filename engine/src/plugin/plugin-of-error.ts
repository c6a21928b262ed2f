// Finds the plugin that an error came from: the one that owns the innermost file in its stack that belongs to a plugin.
import { realpathSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { causeOf, stackOf } from '../errors.js'
import { nearestPackage } from './plugin-package.js'
import type { PluginCode } from './plugin-code.js'

/** A place in a stack: `at name (file:///folder/file.js:1:2)`, with or without name and scheme. */
const PLACE = /(?:^|[\s(])((?:file:\/\/)?\/[^\n]*?):\d+:\d+\)?$/
const DEPENDENCIES = `${sep}node_modules${sep}`
/** An error that wraps another is followed this far. */
const MOST_CAUSES = 8

/** The plugins that own the code: one package, or modules that share a folder. Empty if no plugin is found. */
export function pluginsOfError(error: unknown, plugins: readonly PluginCode[]): readonly PluginCode[] {
  let cause = error
  for (let depth = 0; cause !== undefined && depth < MOST_CAUSES; depth++, cause = causeOf(cause)) {
    for (const file of filesOf(stackOf(cause))) {
      const owners = ownersOf(file, plugins)
      if (owners.length > 0) return owners
    }
  }
  return []
}

/** Innermost first. */
function filesOf(stack: string): readonly string[] {
  return stack.split('\n').flatMap((line) => {
    const [, place] = PLACE.exec(line.trimEnd()) ?? []
    if (place === undefined) return []
    return place.startsWith('file:') ? fileOf(place) : [place]
  })
}

function fileOf(url: string): readonly string[] {
  try {
    return [fileURLToPath(url)]
  } catch {
    return []
  }
}

function ownersOf(file: string, plugins: readonly PluginCode[]): readonly PluginCode[] {
  const exact = plugins.filter(({ entry }) => entry !== undefined && realPath(entry) === file)
  return exact.length > 0 ? exact : plugins.filter((plugin) => contains(plugin, file))
}

function contains({ entry, folder }: PluginCode, file: string): boolean {
  if (folder !== undefined) return isBelow(file, folder)
  if (entry === undefined) return false
  // A module that the YAML names by path: the files in its folder and below, except those of another package.
  const beside = dirname(realPath(entry))
  return isBelow(file, beside) && nearestPackage(dirname(file)) === nearestPackage(beside)
}

/** In the folder, but not in one of its dependencies. */
function isBelow(file: string, folder: string): boolean {
  return file.startsWith(folder + sep) && !file.slice(folder.length).includes(DEPENDENCIES)
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
