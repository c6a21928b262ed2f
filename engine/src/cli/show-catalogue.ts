// The catalogue of plugins for the verbs that describe them; problems are reported without a line of a file.
import { readCatalogue } from '../plugin/catalogue.js'
import type { Catalogue, CatalogueOptions } from '../plugin/catalogue.js'
import type { PluginProblem } from '../plugin/find-plugins.js'
import { pluginRequest } from '../config/plugin-request.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { pluginError } from '../plugin/plugin-errors.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'

export interface PluginScope {
  /** A YAML file whose plugins are used; by default those of the folder. */
  readonly file?: string | undefined
  /** The working folder. */
  readonly folder: string
}

export interface FoundCatalogue extends Catalogue {
  /** The file was readable, and no plugin is broken. */
  readonly isSound: boolean
}

/** Reads the catalogue, and reports its problems on stderr. */
export async function showCatalogue(
  streams: CliStreams,
  { file, folder }: PluginScope,
  options: CatalogueOptions,
): Promise<FoundCatalogue> {
  const { request, diagnostics } = await pluginRequest(file === undefined ? [] : [file], streams.env, folder)
  streams.err.write(renderText(diagnostics))
  const catalogue = await readCatalogue(request, options)
  for (const problem of catalogue.problems) streams.err.write(renderProblem(problem))
  const isSound =
    diagnostics.every(({ severity }) => severity !== 'error') &&
    catalogue.problems.every(({ severity }) => severity === 'warning')
  return { ...catalogue, isSound }
}

/** Ends with an empty line. */
function renderProblem({ code, message, severity, listedIn }: PluginProblem): string {
  const at = listedIn === undefined ? '' : `\n  --> ${listedIn}`
  return printable(`${severity ?? 'error'}[${code}]: ${message}${at}\n  = help: ${pluginError.table[code].hint}\n\n`)
}
