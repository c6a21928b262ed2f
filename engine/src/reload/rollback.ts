// Brings the files back to an earlier configuration: what is on disk is kept in the history first, then each file is
// replaced atomically, and the result applied as a reload. If it cannot be applied, the files are put back.
import { resolve } from 'node:path'
import { editError } from '../config/edit/edit-errors.js'
import { isEngineError, messageOf } from '../errors.js'
import type { EditReport } from '../observe/reload-report.js'
import type { Logger } from '../plugin/contract.js'
import type { ConfigHistory } from './config-history.js'
import type { ConfigReader, ConfigReading } from './config-reader.js'
import { checkExpected, readEdited } from './edit-files.js'
import { putBack } from './put-back.js'
import { replaceFile } from './replace-file.js'
import type { Replacement } from './replace-file.js'
import type { Attempt, FileChange } from './file-change.js'
import { SourceSnapshot } from './source-snapshot.js'

export interface RollbackSettings {
  readonly history: ConfigHistory
  readonly reader: ConfigReader
  readonly log: Logger
}

export interface RollbackRequest {
  /** Of an entry; by default what is running if the files differ from it, else the newest good one before it. */
  readonly id: number | undefined
  readonly isPlan: boolean
  /** Id of the configuration that was planned; by default any is applied. */
  readonly expectedId: string | undefined
}

export class Rollback implements FileChange {
  readonly by = 'rollback'
  readonly edit = undefined
  readonly written: Replacement[] = []
  files: EditReport['files'] = []
  readonly #request: RollbackRequest
  readonly #settings: RollbackSettings

  constructor(request: RollbackRequest, settings: RollbackSettings) {
    this.#request = request
    this.#settings = settings
  }

  async prepare(compare: (reading: ConfigReading) => Promise<Attempt>): Promise<Attempt | undefined> {
    const { history, reader } = this.#settings
    const { id, isPlan, expectedId } = this.#request
    const onDisk = await reader.fresh().read()
    const isInSync = id !== undefined || (await compare(onDisk)).result === 'unchanged'
    const { texts } = await history.find(id ?? (isInSync ? 'previous' : 'running'))
    const replacements = await differing(texts, onDisk.texts)
    if (replacements.length === 0) return { result: 'unchanged', why: '', diagnostics: [] }
    const edited = await readEdited(reader, replacements)
    const attempt = await compare(edited)
    const names = new Map((edited.graph?.files ?? reader.files).map((name) => [resolve(name), name]))
    this.files = replacements.map(({ path }) => ({ file: names.get(path) ?? path }))
    if (attempt.result === 'invalid') return attempt
    checkExpected(attempt, expectedId)
    if (attempt.result === 'refused') return attempt
    const missing = replacements.filter(({ before }) => before === undefined).map(({ path }) => path)
    checkFiles(edited.texts, { texts, missing })
    if (isPlan) return { ...attempt, result: 'planned' }
    const lost = replacements.flatMap(({ path, before }) => (before === undefined ? [] : [[path, before] as const]))
    await this.#keep(new Map([...onDisk.texts, ...lost]))
    await this.#replace(replacements)
    return undefined
  }

  async #keep(texts: ReadonlyMap<string, string>): Promise<void> {
    try {
      await this.#settings.history.keep(texts)
    } catch (error) {
      const why = `what is on disk could not be kept in the history first: ${messageOf(error)}`
      throw editError('EDIT_NOT_WRITABLE', why, { cause: error })
    }
  }

  async #replace(replacements: readonly Replacement[]): Promise<void> {
    for (const replacement of replacements) {
      try {
        await replaceFile(replacement)
        this.written.push(replacement)
      } catch (error) {
        await putBack(this.written.splice(0), this.#settings.log)
        throw isEngineError(error) ? error : editError('EDIT_NOT_WRITABLE', messageOf(error), { cause: error })
      }
    }
  }
}

/** What is to be written; files that the configuration on disk does not read now, because it is broken, are read too. */
async function differing(
  texts: ReadonlyMap<string, string>,
  read: ReadonlyMap<string, string>,
): Promise<readonly Replacement[]> {
  const snapshot = await SourceSnapshot.take([...texts.keys()].filter((path) => !read.has(path)))
  return [...texts]
    .map(([path, after]) => ({ path, before: read.get(path) ?? snapshot.textOf(path), after }))
    .filter(({ before, after }) => before !== after)
}

/** The configuration would read other files than it had then. */
function checkFiles(
  read: ReadonlyMap<string, string>,
  then: { readonly texts: ReadonlyMap<string, string>; readonly missing: readonly string[] },
): void {
  const more = [...read.keys()].filter((path) => !then.texts.has(path))
  // A file that exists and is not read was not read then either: it was kept because it was replaced.
  const missing = then.missing.filter((path) => !read.has(path))
  if (more.length > 0) {
    throw editError('HISTORY_FILES', `${more.join(', ')} would be included, which did not exist then`)
  }
  if (missing.length > 0) throw editError('HISTORY_FILES', `${missing.join(', ')} no longer exists`)
}
