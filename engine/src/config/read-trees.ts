// Reads everything that a configuration is made of into one tree per file: the files, the variables of the environment
// and of `--env-file`, the `--set` flags, and the secrets. The same files declare secrets and use them, so the trees
// are read twice if any is used, first without secrets.
import { resolve } from 'node:path'
import type { DiscoverRequest, Discovered } from '../plugin/discover.js'
import { Problems } from './report/diagnostic.js'
import type { SourceText } from './report/diagnostic.js'
import type { Environment, Values } from './source/interpolate.js'
import { readEnvFiles } from './source/read-env-file.js'
import { readSecrets } from './section/read-secrets.js'
import { expandTemplates } from './template/expand-templates.js'
import { readFiles } from './source/read-files.js'
import type { ReadFile } from './source/read-files.js'
import type { Contents } from './source/read-source.js'
import { readYaml } from './source/read-yaml.js'
import type { ProgramInspector } from '../processes/program-inspector.js'
import type { SecretMask } from '../graph/secret-mask.js'
import { flagName, parseFlags, setValues } from './source/set-values.js'
import type { Flag } from './source/set-values.js'
import { TimeSlice } from './source/time-slice.js'
import type { YamlEntry, YamlValue } from './source/yaml-tree.js'

const SECRET_REFERENCE = '${secret:'

export interface LoadOptions {
  /** Variables for interpolation. */
  readonly env: Environment
  /** Files with more variables, `KEY=VALUE`; those in `env` take precedence. */
  readonly envFiles?: readonly string[] | undefined
  /** `path.to.option=value`, which replaces what the files say. */
  readonly sets?: readonly string[] | undefined
  /**
   * For showing and checking a configuration outside the environment in which it will run: variables and secrets that
   * are missing are not mistakes, and the options of nodes that use them are undefined.
   */
  readonly noEnv?: boolean | undefined
  /** The content of files, by name, that are not read from disk. */
  readonly contents?: Contents | undefined
  /**
   * Lists the names of the files in a folder (absolute) that `include` searches. By default those on disk. If it is
   * given, `contents` has all files: none is read from disk, and symbolic links are not resolved.
   */
  readonly listFolder?: ((folder: string) => Promise<readonly string[]>) | undefined
  /** Files that options name need not be there. So it is with `noEnv` and `listFolder`. By default they are looked for. */
  readonly ignoresMissingFiles?: boolean | undefined
  /** Programs that nodes need may be missing: `engine doctor` says so itself. So it is where files may be missing. */
  readonly ignoresMissingPrograms?: boolean | undefined
  /** Asks programs what they can do. By default a new one for each check. */
  readonly inspector?: ProgramInspector | undefined
  /** Whether the file of a secret (absolute path) may be read. By default every one may. */
  readonly allowsSecretFile?: ((path: string) => boolean) | undefined
  /** Finds definitions. By default `discoverPlugins`, with the package that started the engine. */
  readonly plugins?: ((request: DiscoverRequest) => Promise<Discovered>) | undefined
}

export interface Tree {
  readonly file: SourceText
  readonly root: YamlValue
  /** Another file includes it. */
  readonly isIncluded: boolean
}

export interface Trees {
  /** The trees of the files that could be read, each before those that it includes. Templates have been expanded. */
  readonly trees: readonly Tree[]
  /** The names of all files that were read, in the same order. */
  readonly names: readonly string[]
  /** Absolute: see `LoadedConfig`. */
  readonly sources: readonly string[]
  /** All files could be read. */
  readonly isWhole: boolean
}

/** Reads the files, each name once. Adds the secrets to the mask. */
export async function readTrees(
  names: readonly string[],
  options: LoadOptions,
  mask: SecretMask,
  problems: Problems,
): Promise<Trees> {
  const { envFiles = [], sets = [], noEnv = false, contents, listFolder, allowsSecretFile } = options
  const env = await readEnvFiles(envFiles, options.env, problems, contents)
  const sources = new Set(envFiles.map((name) => resolve(name)))
  const values = { env, noEnv, secrets: new Map<string, string>() }
  const { files, isWhole } = await readFiles(names, { values, contents, listFolder, problems, sources })
  const flags = await parseFlags(sets, problems)
  const read = (given: Values, to: Problems): Promise<readonly Tree[]> => readAll(files, flags, given, isWhole, to)
  const usesSecrets = [...files, ...flags.map(({ parsed }) => parsed)].some(({ file }) =>
    file.text.includes(SECRET_REFERENCE),
  )
  const before = await read(values, usesSecrets ? new Problems() : problems)
  const secretSources = { env, noEnv, mask, problems, sources, allowsFile: allowsSecretFile }
  const secrets = await readSecrets(sectionsOf(before, 'secrets'), secretSources)
  const trees = usesSecrets ? await read({ env, noEnv, secrets }, problems) : before
  return { trees, names: files.map(({ file }) => file.name), sources: [...sources], isWhole }
}

/** The order of diagnostics: the order in which the sources were named. */
export function sourceNames(files: readonly string[], { envFiles = [], sets = [] }: LoadOptions): readonly string[] {
  return [...envFiles, ...files, ...sets.map((_, index) => flagName(index))]
}

/** The top-level entry of this name, from each file that has it. */
export function sectionsOf(trees: readonly Pick<Tree, 'root'>[], name: string): readonly YamlEntry[] {
  return trees.flatMap(({ root }) => (root.kind === 'map' ? (root.entries.get(name) ?? []) : []))
}

async function readAll(
  files: readonly ReadFile[],
  flags: readonly Flag[],
  values: Values,
  isWhole: boolean,
  problems: Problems,
): Promise<readonly Tree[]> {
  const slice = new TimeSlice()
  const read: (YamlValue | undefined)[] = []
  for (const file of files) {
    read.push(readYaml(file, values, problems))
    await slice.yieldIfUsed()
  }
  const roots = setValues(await expandTemplates(read, isWhole, problems), flags, values, isWhole, problems)
  await slice.yieldIfUsed()
  return files.flatMap(({ file, isIncluded }, index) => {
    const root = roots[index]
    return root === undefined ? [] : [{ file, root, isIncluded }]
  })
}
