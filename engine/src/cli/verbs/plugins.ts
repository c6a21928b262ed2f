// `engine plugins ls` lists the installed plugins; `engine plugins manifest` writes the manifest that describes one.
import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import type { CataloguedPlugin } from '../../plugin/catalogue.js'
import type { CliStreams } from '../cli-streams.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { addPluginFileOption } from '../plugin-file-option.js'
import type { PluginFileOption } from '../plugin-file-option.js'
import { renderJsonText } from '../render-json-text.js'
import { renderTable } from '../render-table.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

interface PluginsLsOptions extends PluginFileOption, JsonOption {
  /** Runs the plugins, and compares their definitions with their manifests. */
  readonly verify?: boolean
}

const PLACES: Readonly<Record<CataloguedPlugin['place'], string>> = {
  yaml: 'plugins: in the YAML',
  beside: 'nearest package.json',
  starter: 'starter',
}

export const pluginsLsVerb = {
  declare(program: Command): Command {
    const command = addPluginFileOption(pluginsCommand(program).command('ls')).description(
      'list the plugins from their manifests, without running them',
    )
    return addJsonOption(command).option('--verify', 'run them, and compare their definitions with their manifests')
  },
  /** 78 if a plugin is broken. */
  async run({ streams, folder }: Pick<VerbContext, 'streams' | 'folder'>, { file, json, verify }: PluginsLsOptions) {
    const { showCatalogue } = await import('../show-catalogue.js')
    const run = verify === true ? { run: 'verify' as const } : {}
    const { plugins, isSound } = await showCatalogue(streams, { file, folder }, run)
    streams.out.write(json === true ? renderJsonText(plugins.map(jsonOf)) : render(plugins, streams))
    return isSound ? EXIT.ok : EXIT.config
  },
} satisfies Verb

export const pluginsManifestVerb = {
  declare(program: Command): Command {
    return pluginsCommand(program)
      .command('manifest')
      .description('write the manifest of a plugin: a step of its build')
      .argument('[folder]', 'folder of the plugin', '.')
  },
  async run({ streams, folder }: Pick<VerbContext, 'streams' | 'folder'>, plugin: string) {
    const { writeManifest } = await import('../../plugin/make-manifest.js')
    const path = await writeManifest(resolve(folder, plugin))
    streams.err.write(printable(`wrote ${relative(folder, path)}\n`))
    return EXIT.ok
  },
} satisfies Verb

/** The command that both are under. */
function pluginsCommand(program: Command): Command {
  const existing = program.commands.find((command) => command.name() === 'plugins')
  return existing ?? program.command('plugins').description('list installed plugins, and write plugin manifests')
}

function jsonOf({ name, version, api, place, path, manifest }: CataloguedPlugin): object {
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
    { text: printable(manifest === undefined ? 'unknown without running it' : providedBy(manifest)) },
    { text: PLACES[place] },
  ])
  return `${renderTable([head, ...rows]).join('\n')}\n`
}

function providedBy({ definitions }: NonNullable<CataloguedPlugin['manifest']>): string {
  return definitions.map(({ kind, type }) => `${kind} ${type}`).join(', ')
}
