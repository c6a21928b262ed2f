// `engine plugins ls` and `engine plugins manifest`: what is installed, and the file by which it is known.
import { relative, resolve } from 'node:path'
import type { CataloguedPlugin } from '../plugin/catalogue.js'
import { writeManifest } from '../plugin/make-manifest.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { showCatalogue } from './plugin-problems.js'
import type { PluginScope } from './plugin-problems.js'
import { renderTable } from './render-table.js'
import { styleFor } from './terminal-style.js'

export interface ListOptions extends PluginScope {
  readonly json?: boolean | undefined
  /** Runs the plugins, and compares what they say with their manifests. */
  readonly verify?: boolean | undefined
}

const PLACES: Readonly<Record<CataloguedPlugin['place'], string>> = {
  yaml: 'plugins: of the YAML',
  beside: 'nearest package.json',
  starter: 'starter',
}

/** Lists without running anything, unless to verify. Resolves with the exit code: 78 where a plugin is broken. */
export async function listPlugins(streams: CliStreams, options: ListOptions): Promise<number> {
  const run = options.verify === true ? { run: 'verify' as const } : {}
  const { plugins, isSound } = await showCatalogue(streams, options, run)
  streams.out.write(
    options.json === true ? `${JSON.stringify(plugins.map(rowOf), undefined, 2)}\n` : render(plugins, streams),
  )
  return isSound ? EXIT.ok : EXIT.config
}

/** Writes the manifest of the plugin in a folder. Resolves with the exit code. */
export async function makePluginManifest(streams: CliStreams, plugin: string, folder: string): Promise<number> {
  const path = await writeManifest(resolve(folder, plugin))
  streams.err.write(printable(`written: ${relative(folder, path)}\n`))
  return EXIT.ok
}

function rowOf({ name, version, api, place, path, manifest }: CataloguedPlugin): object {
  const types = (manifest?.definitions ?? []).map(({ kind, type, summary }) => ({ kind, type, summary }))
  return { package: name, version, api, found: place, path, hasManifest: manifest !== undefined, types }
}

function render(plugins: readonly CataloguedPlugin[], { out, env }: CliStreams): string {
  if (plugins.length === 0) return 'no plugins\n'
  const { bold, dim } = styleFor(out, env)
  const head = ['package', 'version', 'api', 'provides', 'found in'].map((text) => ({ text, paint: dim }))
  const rows = plugins.map(({ name, version, api, place, manifest }) => [
    { text: printable(name), paint: bold },
    { text: printable(version === '' ? '-' : version) },
    { text: printable(api === '' ? '-' : api) },
    { text: printable(manifest === undefined ? 'not known without running it' : providedBy(manifest)) },
    { text: PLACES[place] },
  ])
  return `${renderTable([head, ...rows]).join('\n')}\n`
}

function providedBy({ definitions }: NonNullable<CataloguedPlugin['manifest']>): string {
  return definitions.map(({ kind, type }) => `${kind} ${type}`).join(', ')
}
