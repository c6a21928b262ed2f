// Everything that a configuration is made of, read to one tree per file: the files, the variables of the environment and
// of `--env-file`, the flags of `--set`, and the secrets, which the files declare and use at once: where any is used,
// the trees are read twice, first without them.
import type { DiscoverRequest, Discovered } from '../plugin/discover.js'
import { Problems } from './diagnostic.js'
import type { SourceText } from './diagnostic.js'
import type { Environment, Values } from './interpolate.js'
import { readEnvFiles } from './read-env-file.js'
import { readSecrets } from './read-secrets.js'
import { readSource } from './read-source.js'
import type { Contents } from './read-source.js'
import { parseYaml, readYaml } from './read-yaml.js'
import type { ParsedYaml } from './read-yaml.js'
import type { SecretMask } from './secret-mask.js'
import { flagName, parseFlags, setValues } from './set-values.js'
import type { Flag } from './set-values.js'
import type { YamlEntry, YamlValue } from './yaml-tree.js'

const SECRET_REFERENCE = '${secret:'

export interface LoadOptions {
  /** For interpolation. */
  readonly env: Environment
  /** Files with more variables, `KEY=VALUE`; what is in `env` wins over them. */
  readonly envFiles?: readonly string[] | undefined
  /** `path.to.option=value`, in the place of what the files say. */
  readonly sets?: readonly string[] | undefined
  /**
   * For showing and checking where the environment is not the one that it will run in: variables and secrets that are
   * not there are no mistakes, and nodes whose options they are in have options that are undefined.
   */
  readonly noEnv?: boolean | undefined
  /** What files hold, by their names, that are not to be read from disk. */
  readonly contents?: Contents | undefined
  /** Finds definitions. By default `discoverPlugins`, with the package that started the engine. */
  readonly plugins?: ((request: DiscoverRequest) => Promise<Discovered>) | undefined
}

export interface Tree {
  readonly file: SourceText
  readonly root: YamlValue
}

export interface Trees {
  /** Of the files that could be read, in their order. */
  readonly trees: readonly Tree[]
  /** All files could be read. */
  readonly isWhole: boolean
}

/** Reads the files, each name once. The mask learns the secrets. */
export async function readTrees(
  names: readonly string[],
  options: LoadOptions,
  mask: SecretMask,
  problems: Problems,
): Promise<Trees> {
  const { envFiles = [], sets = [], noEnv = false, contents } = options
  const env = await readEnvFiles(envFiles, options.env, problems, contents)
  const files: ParsedYaml[] = []
  for (const name of names) {
    const source = await readSource(name, problems, contents)
    if (source !== undefined) files.push(parseYaml(source, problems))
  }
  const flags = parseFlags(sets, problems)
  const isWhole = files.length === names.length && files.every(({ document }) => document !== undefined)
  const read = (values: Values, to: Problems): readonly Tree[] => readAll(files, flags, values, isWhole, to)
  const usesSecrets = [...files, ...flags.map(({ parsed }) => parsed)].some(({ file }) =>
    file.text.includes(SECRET_REFERENCE),
  )
  const before = read({ env, noEnv, secrets: new Map() }, usesSecrets ? new Problems() : problems)
  const secrets = await readSecrets(sectionsOf(before, 'secrets'), { env, noEnv, mask, problems })
  return { trees: usesSecrets ? read({ env, noEnv, secrets }, problems) : before, isWhole }
}

/** The order of diagnostics: as the sources were named. */
export function sourceNames(files: readonly string[], { envFiles = [], sets = [] }: LoadOptions): readonly string[] {
  return [...envFiles, ...files, ...sets.map((_, index) => flagName(index))]
}

/** An entry of the files' roots, from each file that has it. */
export function sectionsOf(trees: readonly Pick<Tree, 'root'>[], name: string): readonly YamlEntry[] {
  return trees.flatMap(({ root }) => (root.kind === 'map' ? (root.entries.get(name) ?? []) : []))
}

function readAll(
  files: readonly ParsedYaml[],
  flags: readonly Flag[],
  values: Values,
  isWhole: boolean,
  problems: Problems,
): readonly Tree[] {
  const roots = setValues(
    files.map((file) => readYaml(file, values, problems)),
    flags,
    values,
    isWhole,
    problems,
  )
  return files.flatMap(({ file }, index) => {
    const root = roots[index]
    return root === undefined ? [] : [{ file, root }]
  })
}
