// The section `plugins:`, and the problems of the plugins that were found.
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LineCounter } from 'yaml'
import type { Discovered, PluginProblem, PluginReference } from '../../plugin/discover.js'
import { hintOf } from '../report/diagnostic.js'
import type { Place, Problems } from '../report/diagnostic.js'
import { textOf } from '../source/read-section.js'
import { placeOf } from '../source/yaml-tree.js'
import type { YamlEntry } from '../source/yaml-tree.js'

export interface PlacedReference extends PluginReference {
  readonly place: Place
}

/** The plugins that the files name under `plugins:`. */
export function readPlugins(entries: readonly YamlEntry[], problems: Problems): readonly PlacedReference[] {
  return entries.flatMap((entry) => {
    const { value, key } = entry
    if (value.kind === 'scalar' && (value.unresolved || value.value === null)) return []
    if (value.kind !== 'list') {
      const help = 'write a list: [ "@example/plugin", "./local.js" ]'
      problems.report('CONFIG_WRONG_TYPE', placeOf(entry), '"plugins" must be a list', { help })
      return []
    }
    const folder = dirname(key.file.path)
    return value.items.flatMap((item) => {
      const name = textOf(item, item.place, 'an entry of "plugins"', problems)
      return name === undefined ? [] : [{ name, folder, place: item.place }]
    })
  })
}

/**
 * Reports the problems that discovery found. A plugin that the YAML names must work. A problem of a plugin that is
 * merely installed is a warning, since perhaps no node needs it; a node that does is reported for its unknown type.
 */
export function reportDiscovered(
  discovered: Discovered,
  references: readonly PlacedReference[],
  problems: Problems,
): void {
  for (const problem of discovered.problems) {
    const { code, message, reference, severity = 'error' } = problem
    const placed = references.find((candidate) => candidate === reference)
    if (placed === undefined) reportListed(problem, problems)
    else problems.report(code, placed.place, message, { severity })
  }
}

function reportListed({ code, message, listedIn, dependency }: PluginProblem, problems: Problems): void {
  const severity = code === 'PLUGIN_DUPLICATE_TYPE' ? 'error' : 'warning'
  const file = listedIn ?? 'package.json'
  const place = dependency === undefined ? undefined : placeIn(file, JSON.stringify(dependency))
  if (place !== undefined) return problems.report(code, place, message, { severity })
  const at = { file, line: 1, column: 1, endColumn: 2, source: undefined }
  problems.add({ severity, code, message, help: hintOf(code), ...at })
}

function placeIn(name: string, word: string): Place | undefined {
  try {
    const text = readFileSync(name, 'utf8')
    const start = text.indexOf(word)
    if (start === -1) return undefined
    const lines = new LineCounter()
    for (let at = 0; at !== -1; at = nextLine(text, at)) lines.addNewLine(at)
    return { file: { name, path: name, text, lines }, start, end: start + word.length }
  } catch {
    return undefined
  }
}

function nextLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? -1 : at + 1
}
