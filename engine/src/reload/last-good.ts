// `stateDir/last-good.yaml`: the texts of the files that the engine last ran with, each under its own path, so that
// relative paths in them stay valid. Secrets and variables are not filled in: they are read again. It is written as
// JSON, which is a subset of YAML.
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { listAmong } from '../config/source/find-matches.js'
import type { LoadOptions } from '../config/load-config.js'
import { readOwnJson } from '../state/read-own-json.js'
import { writeAtomically } from '../state/write-atomically.js'
import type { ConfigReading, LoadedSources, LoadFiles } from './config-reader.js'

const LAST_GOOD_FILE = 'last-good.yaml'
const MOST_BYTES = 64 * 1024 * 1024
const DEFAULT_STATE_DIR = '.millrace'
/** Stands for a file that did not exist. */
const EMPTY_FILE = 'version: 1\n'
/**
 * For a file that may be broken anywhere: the value of a key of this name, up to a character that ends a plain scalar.
 */
const STATE_DIR = /\bstateDir:\s*["']?([^"'\s,{}#]+)/
const STATE_DIR_FLAG = /^engine\.stateDir=(.+)$/

const lastGoodSchema = z.object({
  version: z.literal(1),
  run: z.array(z.string()),
  files: z.array(z.object({ path: z.string(), text: z.string() })),
})

/** Writes it atomically, mode 0600. `files`: as the caller named them. Rejects if the disk refuses it. */
export async function writeLastGood(
  stateDir: string,
  files: readonly string[],
  { texts }: Pick<ConfigReading, 'texts'>,
): Promise<void> {
  const run = files.map((name) => resolve(name))
  // Text from a pipe can't be kept, and part of a configuration is not a configuration.
  if (run.some((path) => !texts.has(path))) return
  const content = { version: 1, run, files: [...texts].map(([path, text]) => ({ path, text })) }
  await writeAtomically(join(stateDir, LAST_GOOD_FILE), `${JSON.stringify(content, undefined, 2)}\n`)
}

/**
 * Loads the configuration that last ran for these files from the first folder that has it; undefined if none has. The
 * files themselves are not read.
 */
export async function loadLastGood(
  files: readonly string[],
  options: LoadOptions,
  load: LoadFiles,
  stateDirs: readonly string[],
): Promise<(LoadedSources & { readonly path: string; readonly texts: ReadonlyMap<string, string> }) | undefined> {
  for (const dir of stateDirs) {
    const texts = await readTexts(join(dir, LAST_GOOD_FILE), files)
    if (texts === undefined) continue
    const contents = new KeptTexts(texts, options.envFiles ?? [])
    const loaded = await load(files, { ...options, contents, listFolder: listAmong(texts.keys()) })
    return { ...loaded, path: join(dir, LAST_GOOD_FILE), texts }
  }
  return undefined
}

/**
 * Candidates for the state folder, most likely first: the file that names it may not parse as YAML. `texts`: of the
 * files that could be read.
 */
export function possibleStateDirs(
  files: readonly string[],
  { sets = [] }: Pick<LoadOptions, 'sets'>,
  texts: ReadonlyMap<string, string>,
): readonly string[] {
  const folder = dirname(resolve(files[0] ?? ''))
  const flags = (sets ?? []).flatMap((flag) => STATE_DIR_FLAG.exec(flag)?.[1] ?? [])
  const found = [...texts].flatMap(([path, text]) => {
    const [, written] = STATE_DIR.exec(text) ?? []
    return written === undefined ? [] : [resolve(dirname(path), written)]
  })
  return [
    ...new Set([
      ...flags.flatMap((flag) => [resolve(flag), resolve(folder, flag)]),
      ...found,
      join(folder, DEFAULT_STATE_DIR),
    ]),
  ]
}

/** Looks files up by absolute path. Env files are read from disk; any other file that was not kept is empty. */
class KeptTexts extends Map<string, string> {
  readonly #envFiles: ReadonlySet<string>

  constructor(texts: ReadonlyMap<string, string>, envFiles: readonly string[]) {
    super(texts)
    this.#envFiles = new Set(envFiles.map((name) => resolve(name)))
  }

  override has(name: string): boolean {
    return !this.#envFiles.has(resolve(name))
  }

  override get(name: string): string | undefined {
    const path = resolve(name)
    return this.#envFiles.has(path) ? undefined : (super.get(path) ?? EMPTY_FILE)
  }
}

async function readTexts(path: string, files: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
  const run = files.map((name) => resolve(name))
  const kept = lastGoodSchema.safeParse(await readOwnJson(path, MOST_BYTES))
  if (!kept.success || kept.data.run.join('\0') !== run.join('\0')) return undefined
  return new Map(kept.data.files.map((each) => [each.path, each.text]))
}
