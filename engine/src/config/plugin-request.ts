// Where to look for plugins, for the commands that concern plugins and not pipelines: beside the files, or in the
// working folder.
import { join } from 'node:path'
import type { DiscoverRequest } from '../plugin/discover.js'
import { findStarterPackage } from '../plugin/plugin-package.js'
import { Problems } from './report/diagnostic.js'
import type { Diagnostic } from './report/diagnostic.js'
import { readPlugins } from './section/read-plugins.js'
import { readTrees, sectionsOf } from './read-trees.js'
import type { Environment } from './source/interpolate.js'

export interface PluginRequest {
  readonly request: DiscoverRequest
  /** Why a file could not be read, and the mistakes in its section `plugins`. */
  readonly diagnostics: readonly Diagnostic[]
}

/** `folder`: where to look when no file is named. */
export async function pluginRequest(
  files: readonly string[],
  env: Environment,
  folder: string,
): Promise<PluginRequest> {
  const starterPackage = findStarterPackage()
  if (files.length === 0) {
    return { request: { yamlFiles: [join(folder, 'pipelines.yaml')], plugins: [], starterPackage }, diagnostics: [] }
  }
  const problems = new Problems()
  const { trees } = await readTrees(files, { env, noEnv: true }, problems.mask, problems)
  const plugins = readPlugins(sectionsOf(trees, 'plugins'), problems)
  const yamlFiles = trees.map(({ file }) => file.path)
  return { request: { yamlFiles, plugins, starterPackage }, diagnostics: problems.list(files) }
}
