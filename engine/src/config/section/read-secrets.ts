// The section `secrets:`: names for values that come from the environment or from files and are never shown.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import process from 'node:process'
import type { Place, Problems } from '../report/diagnostic.js'
import type { Environment } from '../source/interpolate.js'
import { checkKeys, mapOf, namedEntries, textOf } from '../source/read-section.js'
import { reasonOf } from '../source/read-source.js'
import { SHORTEST_MASKED } from '../../graph/secret-forms.js'
import type { SecretMask } from '../../graph/secret-mask.js'
import { hasUnresolved, placeOf } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'

const LARGEST_BYTES = 64 * 1024
const OTHERS_MAY_READ = 0o004
const KEYS = ['env', 'file']

export interface SecretSources {
  readonly env: Environment
  /** Missing values are not mistakes, and files are not read. */
  readonly noEnv: boolean
  readonly mask: SecretMask
  readonly problems: Problems
  /** Receives the absolute paths of the files that are read. */
  readonly sources: Set<string>
  /** By default every file may be read. */
  readonly allowsFile?: ((path: string) => boolean) | undefined
}

/** The values by name; a value that could not be read is reported and undefined. The values are added to the mask. */
export async function readSecrets(
  sections: readonly YamlEntry[],
  sources: SecretSources,
): Promise<ReadonlyMap<string, string | undefined>> {
  const { mask, problems } = sources
  const secrets = new Map<string, string | undefined>()
  for (const [name, entry] of namedEntries(sections, 'secrets', 'secret', problems)) {
    const value = await readSecret(name, entry, sources)
    secrets.set(name, value)
    if (value === undefined) continue
    mask.add(value, name)
    if (value.length >= SHORTEST_MASKED) continue
    const message = `secret "${name}" is shorter than ${SHORTEST_MASKED} characters, too short to be masked inside other text`
    problems.report('CONFIG_SECRET_SHORT', entry.key, message, { severity: 'warning' })
  }
  return secrets
}

async function readSecret(name: string, entry: YamlEntry, sources: SecretSources): Promise<string | undefined> {
  const { env, noEnv, problems } = sources
  const title = `secret "${name}"`
  const map = secretMap(entry, title, problems)
  if (map === undefined) return undefined
  const [[key = '', from] = []] = map.entries
  if (from === undefined) return undefined
  const place = placeOf(from)
  if (hasUnresolved(from.value)) return reportNested(title, place, problems)
  const text = textOf(from.value, place, `"${key}" of ${title}`, problems)
  if (text === undefined) return undefined
  if (key === 'file') return noEnv ? undefined : readSecretFile(title, text, place, sources)
  const value = Object.hasOwn(env, text) ? env[text] : undefined
  if (value !== undefined && value !== '') return value
  if (noEnv) return undefined
  const is = value === undefined ? 'not set' : 'empty'
  const help = `set ${text}, in the environment or with --env-file`
  problems.report('CONFIG_UNSET_VARIABLE', place, `the environment variable ${text} of ${title} is ${is}`, { help })
  return undefined
}

/** The map of a secret, with one entry: `env` or `file`. */
function secretMap(entry: YamlEntry, title: string, problems: Problems): YamlMap | undefined {
  const map = mapOf(entry, title, problems)
  if (map === undefined) return undefined
  checkKeys(map, KEYS, title, problems)
  const given = [...map.entries].filter(([key]) => KEYS.includes(key))
  const help = 'write { env: NAME } or { file: path }'
  const [, second] = given
  if (second !== undefined) {
    problems.report('CONFIG_WRONG_VALUE', second[1].key, `${title} must have one source, not two`, { help })
    return undefined
  }
  if (given.length === 1) return { ...map, entries: new Map(given) }
  // An unknown key has been reported already; it is probably a misspelled source.
  if (map.entries.size > 0) return undefined
  problems.report('CONFIG_MISSING_KEY', entry.key, `${title} has no source`, { help })
  return undefined
}

// An unset variable has been reported already. A reference to another secret is unresolved too, and is reported only
// here.
function reportNested(title: string, place: Place, problems: Problems): undefined {
  if (!place.file.text.slice(place.start, place.end).includes('${secret:')) return undefined
  const message = `${title} cannot refer to another secret`
  problems.report('CONFIG_WRONG_VALUE', place, message, { help: 'name the variable or the file directly' })
  return undefined
}

async function readSecretFile(
  title: string,
  name: string,
  place: Place,
  { problems, sources, allowsFile }: SecretSources,
): Promise<string | undefined> {
  const path = resolve(dirname(place.file.path), name)
  sources.add(path)
  if (allowsFile?.(path) !== false) return readFile(title, path, place, problems)
  const help = 'it can be checked once the configuration files of the engine name it'
  problems.report('CONFIG_SECRET_FILE', place, `the engine does not read the file of ${title}`, { help })
  return undefined
}

async function readFile(title: string, path: string, place: Place, problems: Problems): Promise<string | undefined> {
  const refuse = (why: string): undefined => {
    problems.report('CONFIG_SECRET_FILE', place, `the file of ${title} ${why}`)
    return undefined
  }
  try {
    // A FIFO without a writer must not block the process.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    await using _closed = { [Symbol.asyncDispose]: () => file.close() }
    const status = await file.stat()
    if (!status.isFile()) return refuse('is not a regular file')
    if (status.size > LARGEST_BYTES) return refuse(`is larger than ${LARGEST_BYTES} bytes`)
    const bytes = new Uint8Array(LARGEST_BYTES)
    const { bytesRead } = await file.read(bytes, 0, LARGEST_BYTES, 0)
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytesRead)).replace(/\r?\n$/, '')
    if (text === '') return refuse('is empty')
    if ((status.mode & OTHERS_MAY_READ) !== 0 && process.platform !== 'win32') reportExposed(title, place, problems)
    return text
  } catch (error) {
    return refuse(`cannot be read: ${reasonOf(error)}`)
  }
}

function reportExposed(title: string, place: Place, problems: Problems): void {
  const message = `every user of this machine can read the file of ${title}`
  problems.report('CONFIG_SECRET_EXPOSED', place, message, { severity: 'warning' })
}
