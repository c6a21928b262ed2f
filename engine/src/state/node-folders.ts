// The folders in which nodes keep their files: `stateDir/nodes/<pipeline>/<node>`. A node that is renamed keeps its folder
// under the old name, because it may have passed the path on; `stateDir/nodes/renamed.json` lists these.
import { lstat, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../plugin/contract.js'
import { writeAtomically } from './write-atomically.js'

const NODES = 'nodes'
const RENAMED_FILE = 'renamed.json'
/** Of a node or a folder; the numbered folder belongs to a node whose name another folder has. */
const FOLDER = /^[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*(~[1-9][0-9]*)?$/

interface Rename {
  readonly from: string
  readonly to: string
}

export class NodeFolders {
  readonly #stateDir: string
  readonly #log: Logger
  /** Of the nodes whose folder is not named after their id: the folder by id. */
  readonly #folders = new Map<string, string>()
  #isLoaded = false
  /** Those of this turn of the event loop, by node. */
  #renames = new Map<object, Rename>()
  /** One operation follows another, so that renames take effect in the order of the calls. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(stateDir: string, log: Logger) {
    this.#stateDir = stateDir
    this.#log = log
  }

  /**
   * The folder of the node of that id, created if it is missing. `was`: the id under which an earlier run of the engine
   * knew it. Rejects with the error of the system.
   */
  open(id: string, was?: string): Promise<string> {
    return this.#inTurn(async () => {
      if (was !== undefined && !this.#folders.has(id)) await this.#takeOver(id, was)
      return this.#create(await this.#nameOf(id))
    })
  }

  /**
   * The node has another id now; `node` is any object that stands for it. Renames of one turn of the event loop happen
   * together, so that nodes can exchange their ids.
   */
  rename(node: object, from: string, to: string): void {
    if (from === to && !this.#renames.has(node)) return
    if (this.#renames.size === 0) this.#recordRenames()
    this.#renames.set(node, { from: this.#renames.get(node)?.from ?? from, to })
  }

  /** Resolves when everything asked so far has been done. Never rejects. */
  async settled(): Promise<void> {
    await this.#queue
  }

  #recordRenames(): void {
    this.#inTurn(() => this.#rename()).catch((err: unknown) => {
      this.#renames = new Map()
      this.#log.error({ err }, 'the folders of renamed nodes could not be recorded: a restart would not find them')
    })
  }

  async #rename(): Promise<void> {
    const renames = [...this.#renames.values()].filter(({ from, to }) => from !== to)
    this.#renames = new Map()
    const moved: (readonly [id: string, folder: string])[] = []
    for (const { from, to } of renames) {
      const folder = this.#folders.get(from) ?? from
      if (await this.#exists(folder)) moved.push([to, folder])
    }
    for (const { from } of renames) this.#folders.delete(from)
    for (const [id, folder] of moved) this.#assign(id, folder)
    if (moved.length > 0) await this.#save()
  }

  /** Uses the folder that the node had under its former id, unless it has one already. */
  async #takeOver(id: string, was: string): Promise<void> {
    const folder = this.#folders.get(was) ?? was
    const isOwn = (this.#ownerOf(folder) ?? was) === was
    if (!isOwn || (await this.#exists(id)) || !(await this.#exists(folder))) return
    this.#folders.delete(was)
    this.#assign(id, folder)
    await this.#save()
  }

  /** A folder that no other node has. */
  async #nameOf(id: string): Promise<string> {
    const known = this.#folders.get(id)
    if (known !== undefined) return known
    let folder = id
    for (let number = 2; this.#ownerOf(folder) !== undefined; number++) folder = `${id}~${number}`
    if (folder === id) return folder
    this.#assign(id, folder)
    await this.#save()
    return folder
  }

  #assign(id: string, folder: string): void {
    if (id === folder) this.#folders.delete(id)
    else this.#folders.set(id, folder)
  }

  /** The node that has that folder under another name. */
  #ownerOf(folder: string): string | undefined {
    return [...this.#folders].find(([, name]) => name === folder)?.[0]
  }

  /** None of them may be a symbolic link, which could lead anywhere. */
  async #create(folder: string): Promise<string> {
    if (!FOLDER.test(folder)) throw new Error(`${folder} is not the id of a node`)
    let path = this.#stateDir
    for (const part of [NODES, ...folder.split('/')]) {
      path = join(path, part)
      await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
      if (!(await lstat(path)).isDirectory()) throw new Error(`${path} is not a folder`)
    }
    return path
  }

  async #exists(folder: string): Promise<boolean> {
    const found = await lstat(join(this.#stateDir, NODES, folder)).catch(() => undefined)
    return found?.isDirectory() === true
  }

  async #load(): Promise<void> {
    if (this.#isLoaded) return
    const text = await readFile(this.#renamedFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}'
      throw error
    })
    for (const [id, folder] of Object.entries(parseFolders(text))) this.#folders.set(id, folder)
    this.#isLoaded = true
  }

  async #save(): Promise<void> {
    await writeAtomically(this.#renamedFile, `${JSON.stringify(Object.fromEntries(this.#folders), undefined, 2)}\n`)
  }

  get #renamedFile(): string {
    return join(this.#stateDir, NODES, RENAMED_FILE)
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      await this.#load()
      return run()
    })
    this.#queue = turn.catch(() => undefined)
    return turn
  }
}

/** Throws for anything but what `NodeFolders` writes. */
function parseFolders(text: string): Readonly<Record<string, string>> {
  const folders: unknown = JSON.parse(text)
  if (typeof folders !== 'object' || folders === null) throw new Error(`${RENAMED_FILE} is not an object`)
  for (const folder of Object.values(folders)) {
    if (typeof folder !== 'string' || !FOLDER.test(folder)) throw new Error(`${RENAMED_FILE} names no folder of a node`)
  }
  return folders as Readonly<Record<string, string>>
}
