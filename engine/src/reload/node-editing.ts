// An edit of a node through the control API: the files are read, edited in memory, checked and planned; only then is one
// of them replaced, and put back if the engine cannot apply it.
import { editError } from '../config/edit/edit-errors.js'
import type { EditedFile, NodeEdit } from '../config/edit/edit-node.js'
import { isEngineError } from '../errors.js'
import type { EditReport, EditRequest } from '../observe/reload-report.js'
import type { ConfigReader, ConfigReading } from './config-reader.js'
import { configReportOf } from './config-report.js'
import { checkExpected, checkPatch, checkReach, editReading, readEdited } from './edit-files.js'
import { reloadError } from './reload-errors.js'
import type { Attempt, FileChange } from './file-change.js'
import type { ReloadTarget } from './reload-target.js'
import { checkReplaceable, replaceFile } from './replace-file.js'
import type { Replacement } from './replace-file.js'

export interface NodeEditingSettings {
  readonly target: Pick<ReloadTarget, 'graph'>
  readonly reader: ConfigReader
}

type Compare = (reading: ConfigReading) => Promise<Attempt>

export class NodeEditing implements FileChange {
  readonly by = 'api'
  readonly written: Replacement[] = []
  files: EditReport['files'] = []
  readonly #request: EditRequest
  readonly #settings: NodeEditingSettings

  constructor(request: EditRequest, settings: NodeEditingSettings) {
    this.#request = request
    this.#settings = settings
  }

  get edit(): NodeEdit {
    return this.#request
  }

  async prepare(compare: Compare): Promise<Attempt | undefined> {
    const { node, patch, isPlan, isExpected, expectedId } = this.#request
    const { target, reader } = this.#settings
    checkPatch(patch)
    const { graph } = target
    if (isExpected?.(configReportOf(graph)) === false) {
      throw editError('EDIT_STALE', 'the configuration has changed since the client has read it')
    }
    const reading = await readRunning(reader, compare)
    const file = await editReading({ node, patch }, graph, reading, reader)
    if (file.after === file.text) return { result: 'unchanged', why: '', diagnostics: [] }
    const attempt = await compare(await readEdited(reader, [file]))
    if (attempt.plan !== undefined) checkReach(attempt.plan, node)
    this.files = [{ file: file.name, line: file.line }]
    if (attempt.result === 'invalid') return attempt
    checkExpected(attempt, expectedId)
    if (attempt.result === 'refused') return attempt
    await atPlace(file, () => checkReplaceable(file.path))
    if (isPlan) return { ...attempt, result: 'planned' }
    const replacement = { path: file.path, before: file.text, after: file.after }
    await atPlace(file, () => replaceFile(replacement))
    this.written.push(replacement)
    return undefined
  }
}

/** Adds the place of the node to the error of a file. */
async function atPlace({ name, line }: EditedFile, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!isEngineError(error) || error.code !== 'EDIT_NOT_WRITABLE') throw error
    throw editError('EDIT_NOT_WRITABLE', `${name}:${line}: ${error.message}`, {
      cause: error,
      at: `${name}:${line}:1`,
    })
  }
}

/** The files as they run. Throws EDIT_CONFLICT if they have anything else. */
async function readRunning(reader: ConfigReader, compare: Compare): Promise<ConfigReading> {
  const reading = await reader.fresh().read()
  const { result, why } = await compare(reading)
  if (result === 'unchanged') return reading
  const { sentence } = reloadError.table.RELOAD_INVALID
  const reason = result === 'invalid' ? `${sentence} ${why}` : 'The files differ from what is running.'
  throw editError('EDIT_CONFLICT', reason)
}
