// Reads the named files and those that they include, each once, however it is reached. Included files follow the file
// that names them, in the order in which it names them.
import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { isMap, isScalar } from 'yaml'
import type { Document, Node } from 'yaml'
import { Problems } from '../report/diagnostic.js'
import type { Place } from '../report/diagnostic.js'
import { findMatches } from './find-matches.js'
import type { Values } from './interpolate.js'
import { textOf } from './read-section.js'
import { readSource, reasonOf } from './read-source.js'
import type { Contents } from './read-source.js'
import { parseYaml, readYaml } from './read-yaml.js'
import type { ParsedYaml } from './read-yaml.js'
import type { YamlScalar, YamlValue } from './yaml-tree.js'

/** Files in a chain of includes. */
const DEEPEST_CHAIN = 8
const MOST_FILES = 500
/** Characters of all files together: a pattern may match what is no configuration. */
const LONGEST_TOTAL = 16 * 1024 * 1024

export interface ReadFile extends ParsedYaml {
  readonly isIncluded: boolean
}

export interface ReadFiles {
  readonly files: readonly ReadFile[]
  /** All files could be read. */
  readonly isWhole: boolean
}

export interface FileSources {
  /** Without secrets: which files there are must not depend on one. */
  readonly values: Values
  readonly contents: Contents | undefined
  /** See LoadOptions. */
  readonly listFolder: ((folder: string) => Promise<readonly string[]>) | undefined
  readonly problems: Problems
  /** Receives the absolute paths of the files, whether or not they exist, and of the folders that patterns search. */
  readonly sources: Set<string>
}

/** Reads the files and everything that they include. */
export async function readFiles(names: readonly string[], sources: FileSources): Promise<ReadFiles> {
  const reader = new FileReader(sources)
  for (const name of names) await reader.read(name, [])
  return { files: reader.files, isWhole: reader.isWhole }
}

/** A file in the chain of includes that leads to the current one. */
interface Link {
  readonly name: string
  readonly path: string
}

class FileReader {
  readonly files: ReadFile[] = []
  isWhole = true
  readonly #sources: FileSources
  readonly #seen = new Set<string>()
  #length = 0

  constructor(sources: FileSources) {
    this.#sources = sources
  }

  /** `at`: where another file names it. */
  async read(name: string, chain: readonly Link[], at?: Place): Promise<void> {
    const { contents, listFolder, problems, sources } = this.#sources
    sources.add(resolve(name))
    const path = listFolder === undefined ? await realpath(name).catch(() => resolve(name)) : resolve(name)
    if (at !== undefined && this.#isRefused(name, path, chain, at)) return
    if (this.#seen.has(path)) return
    this.#seen.add(path)
    const source = await readSource(name, problems, contents, at)
    this.#length += source?.text.length ?? 0
    const parsed = source === undefined ? undefined : await parseYaml(source, problems)
    this.isWhole &&= parsed?.document !== undefined
    if (parsed === undefined) return
    this.files.push({ ...parsed, isIncluded: at !== undefined })
    for (const entry of this.#entriesOf(parsed)) await this.#include(entry, [...chain, { name, path }])
  }

  #isRefused(name: string, path: string, chain: readonly Link[], at: Place): boolean {
    const { problems } = this.#sources
    const from = chain.findIndex((link) => link.path === path)
    if (from !== -1) {
      const cycle = [...chain.slice(from).map((link) => link.name), name].join(' -> ')
      problems.report('CONFIG_INCLUDE_CYCLE', at, `the file includes itself: ${cycle}`)
      return true
    }
    const why =
      chain.length >= DEEPEST_CHAIN
        ? `includes are nested more than ${DEEPEST_CHAIN} deep`
        : this.files.length >= MOST_FILES
          ? `there are more than ${MOST_FILES} files`
          : this.#length > LONGEST_TOTAL
            ? `the files have more than ${LONGEST_TOTAL} characters together`
            : undefined
    if (why === undefined) return false
    this.isWhole = false
    problems.report('CONFIG_INCLUDE', at, why, { help: 'include fewer files, or merge some' })
    return true
  }

  /** The usable entries of `include`; mistakes in them are reported when the whole file is read. */
  #entriesOf({ file, document }: ParsedYaml): readonly YamlScalar[] {
    const { problems, values } = this.#sources
    const node = includeOf(document)
    if (node === undefined) return []
    const found = new Problems()
    const value = readYaml({ file, document: { contents: node as Document['contents'] } }, values, found)
    if (found.list([]).some(({ code }) => code === 'CONFIG_UNQUOTED')) {
      const place = value?.place ?? { file, start: 0, end: 1 }
      problems.report('CONFIG_INCLUDE', place, '"include" cannot have aliases', { help: 'write the paths out' })
    }
    const items = value === undefined || isEmpty(value) ? [] : value.kind === 'list' ? value.items : undefined
    if (items === undefined) {
      const help = 'write a list: [ "channels/*.yaml" ]'
      if (value !== undefined) problems.report('CONFIG_WRONG_TYPE', value.place, '"include" must be a list', { help })
      return []
    }
    return items.filter((item): item is YamlScalar => {
      if (item.kind !== 'scalar' || !item.unresolved) {
        return textOf(item, item.place, 'an entry of "include"', problems) !== undefined
      }
      this.isWhole = false
      if (!file.text.slice(item.place.start, item.place.end).includes('${secret:')) return false
      problems.report('CONFIG_INCLUDE', item.place, 'a path cannot contain a secret', {
        help: 'write it out, or use a variable',
      })
      return false
    })
  }

  async #include({ value, place }: YamlScalar, chain: readonly Link[]): Promise<void> {
    const written = String(value)
    const parent = chain.at(-1)?.name ?? ''
    const name = isAbsolute(written) ? written : join(dirname(parent), written)
    if (!written.includes('*')) return this.read(name, chain, place)
    const { problems, sources, listFolder } = this.#sources
    if (written.includes('**') || dirname(written).includes('*')) {
      const help = 'include the files of each folder: [ "news/*.yaml", "sport/*.yaml" ]'
      problems.report('CONFIG_INCLUDE', place, 'a * is only allowed in a file name, not in a folder name', {
        help,
      })
      return
    }
    const folder = dirname(name)
    sources.add(resolve(folder))
    let why = ''
    const found = await findMatches(resolve(folder), basename(name), listFolder).catch((error: unknown) => {
      why = `: ${reasonOf(error)}`
      return []
    })
    // A pattern never matches the file that contains it.
    const others = found.map((file) => join(folder, file)).filter((file) => resolve(file) !== resolve(parent))
    for (const file of others) await this.read(file, chain, place)
    if (others.length > 0) return
    problems.report('CONFIG_INCLUDE_UNMATCHED', place, `no file matches ${name}${why}`, { severity: 'warning' })
  }
}

function includeOf(document: ParsedYaml['document']): Node | undefined {
  const contents: unknown = document?.contents
  if (!isMap(contents)) return undefined
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === 'include')
  return (pair?.value ?? undefined) as Node | undefined
}

function isEmpty(value: YamlValue): boolean {
  return value.kind === 'scalar' && (value.value === null || value.unresolved)
}
