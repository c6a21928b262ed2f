// Decides what an edit through the control API does to the files: only what passes `check`, changes the node alone, and
// meets the files as the engine runs them is written.
import { resolve } from 'node:path'
import { editError } from '../config/edit/edit-errors.js'
import { editNode } from '../config/edit/edit-node.js'
import type { EditedFile, NodeEdit } from '../config/edit/edit-node.js'
import type { Contents } from '../config/source/read-source.js'
import { isObject } from '../config/edit/yaml-outline.js'
import type { Graph } from '../graph/graph.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import { CENSORED_OPTION } from '../plugin/write-options.js'
import type { ConfigReader, ConfigReading, LoadFiles } from './config-reader.js'

const DEEPEST_VALUE = 12
const INTERPOLATION = '${'

/** Throws an error of `editError` for a patch whose values cannot be written. */
export function checkPatch(patch: NodeEdit['patch']): void {
  const left: { readonly value: unknown; readonly depth: number }[] = [{ value: patch, depth: 0 }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, depth } = next
    if (depth > DEEPEST_VALUE) throw editError('EDIT_VALUE', 'the values are nested too deeply')
    const inner = Array.isArray(value) ? value : isObject(value) ? Object.entries(value).flat() : []
    for (const each of inner as readonly unknown[]) left.push({ value: each, depth: depth + 1 })
    if (typeof value !== 'string') continue
    if (value.includes(INTERPOLATION))
      throw editError('EDIT_VALUE', `a text of an edit cannot have ${INTERPOLATION} in it`)
    if (value.includes(CENSORED_OPTION)) {
      throw editError(
        'EDIT_VALUE',
        `a text of an edit cannot have ${CENSORED_OPTION} in it: the API shows it instead of what is secret`,
      )
    }
  }
}

/** The edited file, not yet written. `reading`: of the files, without mistakes. */
export async function editReading(
  edit: NodeEdit,
  graph: Graph,
  reading: Pick<ConfigReading, 'texts'>,
  reader: Pick<ConfigReader, 'options'>,
): Promise<EditedFile> {
  const nodes = [...graph.services, ...graph.pipelines.flatMap((pipeline) => pipeline.nodes)]
  if (!nodes.some(({ id }) => id === edit.node)) {
    const help = edit.node.includes('@') ? ': it is a copy, and has no options of its own' : ''
    throw editError('EDIT_UNKNOWN_NODE', `there is no node "${edit.node}"${help}`)
  }
  refuseFlags(edit, reader.options.sets ?? [])
  const names = new Map(graph.files.map((name) => [resolve(name), name]))
  const texts = [...reading.texts].flatMap(([path, text]) => {
    const name = names.get(path)
    return name === undefined ? [] : [{ name, path, text }]
  })
  return editNode(texts, edit)
}

/** What runs after a flag would be the flag's value, whatever the file says. */
function refuseFlags({ node, patch }: NodeEdit, sets: readonly string[]): void {
  const [owner = '', name = ''] = node.split('/', 2)
  for (const [index, flag] of sets.entries()) {
    const path = (flag.split('=', 1)[0] ?? '').split('.')
    const isOfNode =
      path[0] === 'services' ? path[1] === name && owner === 'services' : path[1] === owner && path[3] === name
    const option = path[path[0] === 'services' ? 2 : 4]
    if (!isOfNode || (option !== undefined && !Object.hasOwn(patch, option))) continue
    const what = option === undefined ? node : `"${option}" of ${node}`
    throw editError('EDIT_ELSEWHERE', `${what} is set by the flag --set ${index + 1}`, { at: `--set ${index + 1}` })
  }
}

/** Throws EDIT_OTHERS if a plan changes more than the node. */
export function checkReach({ nodes, parts }: ReloadPlan, node: string): void {
  const others = [...nodes.filter(({ id, changes }) => id !== node && changes.length > 0), ...parts].map(({ id }) => id)
  if (others.length > 0) throw editError('EDIT_OTHERS', `the edit of ${node} would also change ${others.join(', ')}`)
}

/** Throws EDIT_STALE if another configuration would be applied than the client has seen planned. */
export function checkExpected({ id }: { readonly id?: string }, expectedId: string | undefined): void {
  if (expectedId === undefined || id === expectedId) return
  throw editError('EDIT_STALE', `the result would be the configuration ${id}, not ${expectedId} as planned`)
}

/** What the files would be with these texts, by absolute path. */
export async function readEdited(
  reader: ConfigReader,
  files: readonly { readonly path: string; readonly after: string }[],
): Promise<ConfigReading> {
  const changed = new Map(files.map(({ path, after }) => [path, after]))
  const used = new Map<string, string>()
  const load: LoadFiles = (names, { contents, ...options }) => {
    const base = contents ?? new Map<string, string>()
    return reader.load(names, { ...options, contents: new ReplacedContents(base, changed, used) })
  }
  const reading = await reader.fresh(load).read()
  return { ...reading, texts: new Map([...reading.texts, ...used]) }
}

class ReplacedContents extends Map<string, string | Uint8Array> implements Contents {
  readonly #base: Contents
  readonly #changed: ReadonlyMap<string, string>
  readonly #used: Map<string, string>

  /** Adds to `used` what is read of the changed texts. */
  constructor(base: Contents, changed: ReadonlyMap<string, string>, used: Map<string, string>) {
    super()
    this.#base = base
    this.#changed = changed
    this.#used = used
  }

  override has(name: string): boolean {
    return this.#changed.has(resolve(name)) || this.#base.has(name)
  }

  override get(name: string): string | Uint8Array | undefined {
    const path = resolve(name)
    const text = this.#changed.get(path)
    // The base notes which files are needed.
    if (text === undefined) return this.#base.get(name)
    this.#used.set(path, text)
    try {
      this.#base.get(name)
    } catch {
      // It does not exist yet.
    }
    return text
  }
}
