// The changes of files through the control API whose nodes may still be on probation: if one of these nodes is rolled
// back, its change is taken back in the files too, and later edits of other nodes are made again without it.
import { editError } from '../config/edit/edit-errors.js'
import type { NodeEdit } from '../config/edit/edit-node.js'
import type { Graph } from '../graph/graph.js'
import type { ConfigReader } from './config-reader.js'
import { PROBATION_MS } from './config-sync-state.js'
import { editReading } from './edit-files.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import type { Attempt, FileChange } from './file-change.js'
import type { Replacement } from './replace-file.js'

/** Each holds the text of a file twice. */
const MOST_CHANGES = 16

interface Applied extends Pick<FileChange, 'edit' | 'written'> {
  readonly atMs: number
  /** Id of the configuration. */
  readonly id: string | undefined
  /** Ids of the nodes that it has changed. */
  readonly nodes: ReadonlySet<string>
}

export interface TakenBack {
  /** What `putBack` is to undo. */
  readonly written: readonly Replacement[]
  /** Configurations that had the change. */
  readonly ids: ReadonlySet<string>
  /** Of the files after that, if edits of other nodes stay. */
  readonly texts?: ReadonlyMap<string, string>
}

export class EditTrail {
  /** Oldest first; each began with the files as the one before had left them. */
  readonly #applied: Applied[] = []

  /** It runs from now on. */
  note({ edit, written }: FileChange, { id, plan }: Pick<Attempt, 'id' | 'plan'>, nowMs: number): void {
    const old = this.#applied.findIndex(({ atMs }) => nowMs - atMs < PROBATION_MS)
    this.#applied.splice(0, old === -1 ? this.#applied.length : old)
    this.#applied.push({ edit, written: [...written], atMs: nowMs, id, nodes: changedNodes(plan) })
    if (this.#applied.length > MOST_CHANGES) this.#applied.shift()
  }

  /** The files have changed by other means. */
  clear(): void {
    this.#applied.length = 0
  }

  get isEmpty(): boolean {
    return this.#applied.length === 0
  }

  /**
   * The node was rolled back. Undefined if no change here has brought it. Rejects if the later edits do not fit the files
   * without it.
   */
  async takeBack(node: string, graph: Graph, reader: ConfigReader): Promise<TakenBack | undefined> {
    const index = this.#applied.findLastIndex(({ edit, nodes }) => edit?.node === node || nodes.has(node))
    const [taken, ...later] = index === -1 ? [] : this.#applied.splice(index)
    if (taken === undefined) return undefined
    const ids = new Set([taken, ...later].flatMap(({ id }) => id ?? []))
    if (later.length === 0) return { written: taken.written, ids }
    const made = [taken, ...later].flatMap(({ written }) => written)
    const now = new Map(made.map(({ path, after }) => [path, after]))
    const texts = new Map((await reader.fresh().read()).texts)
    for (const { path, before } of made.toReversed()) {
      if (before === undefined) texts.delete(path)
      else texts.set(path, before)
    }
    const again: Applied[] = []
    for (const each of later) {
      const { path, text, after } = await editReading(editOf(each.edit), graph, { texts }, reader)
      texts.set(path, after)
      again.push({ ...each, written: [{ path, before: text, after }] })
    }
    this.#applied.push(...again)
    const written = [...now].map(([path, after]) => ({ path, before: texts.get(path), after }))
    return { written: written.filter(({ before, after }) => before !== after), ids, texts }
  }
}

/** Those that are on probation because of it. */
export function changedNodes(plan: ReloadPlan | undefined): ReadonlySet<string> {
  const changed = plan?.nodes.filter(({ verb }) => verb !== 'keep' && verb !== 'remove') ?? []
  return new Set(changed.map(({ id }) => id))
}

function editOf(edit: NodeEdit | undefined): NodeEdit {
  if (edit === undefined) throw editError('EDIT_CONFLICT', 'a rollback of the files came later')
  return edit
}
