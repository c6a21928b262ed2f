// The folders in which nodes keep their files: `stateDir/nodes/<pipeline>/<node>`. A folder belongs to the lineage of a node
// and keeps its path while the engine runs, because the node may have passed it on: whatever ids nodes exchange or free.
// `stateDir/nodes/renamed.json` lists those that are not named after their node, for the next run of the engine. Folders
// of removed nodes stay: a node that is added again under that id finds its files.
import { lstat, mkdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Logger } from '../plugin/contract.js'
import type { Lineage, LineageWatcher } from './lineages.js'
import { writeAtomically } from './write-atomically.js'

const NODES = 'nodes'
const RENAMED_FILE = 'renamed.json'
/** Of a node or a folder; the numbered folder belongs to a node whose name another folder has. */
const FOLDER = /^[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*(~[1-9][0-9]*)?$/

export class NodeFolders implements LineageWatcher {
  readonly #stateDir: string
  readonly #log: Logger
  /** As `renamed.json` has it: the folder by id. */
  #recorded: ReadonlyMap<string, string> = new Map()
  #isLoaded = false
  /** The id that each had when it joined, in this order: a rename that follows does not change its folder. */
  readonly #unnamed = new Map<Lineage, string>()
  readonly #owners = new Map<string, Lineage>()
  /** Those of the nodes in the graph, in the order in which they have got their ids. */
  readonly #inGraph = new Set<Lineage>()
  #isRecordDue = false
  /** Those whose folders have been created, and recorded if need be. */
  readonly #created = new WeakSet<Lineage>()
  /** One operation follows another. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(stateDir: string, log: Logger) {
    this.#stateDir = stateDir
    this.#log = log
  }

  get stateDir(): string {
    return this.#stateDir
  }

  /** Where the node that has the folder `own` has one below another path. */
  below(path: string, own: string): string {
    return join(path, relative(join(this.#stateDir, NODES), own))
  }

  /** The folder of the node, created if it is missing. Rejects with the error of the system. */
  async open(lineage: Lineage): Promise<string> {
    const known = this.#created.has(lineage) ? this.#ownFolder(lineage) : undefined
    // Nodes that have their folders do not wait for each other.
    if (known !== undefined && (await this.#exists(known))) return join(this.#stateDir, NODES, known)
    return this.#inTurn(async () => {
      const folder = this.#ownFolder(lineage) ?? (await this.#name(lineage, lineage.id))
      const path = await this.#create(folder)
      // Not before its node is in the graph: the reload may be given up, and the id belong to another node.
      if (lineage.isInGraph && folder !== lineage.id) await this.#record()
      if (lineage.isInGraph) this.#created.add(lineage)
      return path
    })
  }

  onJoin(lineage: Lineage): void {
    this.#unnamed.set(lineage, lineage.id)
  }

  /** Changes of one turn of the event loop are recorded together, so that nodes can exchange their ids. */
  onChange(lineage: Lineage): void {
    this.#inGraph.delete(lineage)
    if (lineage.isInGraph) this.#inGraph.add(lineage)
    if (this.#isRecordDue) return
    this.#isRecordDue = true
    this.#inTurn(() => this.#record()).catch((err: unknown) => {
      this.#isRecordDue = false
      this.#log.error({ err }, 'the folders of renamed nodes could not be recorded: a restart would not find them')
    })
  }

  onEnd(lineage: Lineage): void {
    this.#unnamed.delete(lineage)
    const folder = this.#ownFolder(lineage)
    if (folder !== undefined) this.#owners.delete(folder)
  }

  /** Resolves when everything asked so far has been done. Never rejects. */
  async settled(): Promise<void> {
    await this.#queue
  }

  #ownFolder(lineage: Lineage): string | undefined {
    const { folder } = lineage
    return folder !== undefined && this.#owners.get(folder) === lineage ? folder : undefined
  }

  /** In the order in which they joined, so that a node has the folder of its id before another gets the id. */
  async #nameAll(): Promise<void> {
    for (const [lineage, id] of this.#unnamed) await this.#name(lineage, id)
  }

  /** Chooses its folder: the one that it had, the one that is recorded, or one that no other node has. */
  async #name(lineage: Lineage, id: string): Promise<string> {
    const former = await this.#formerFolder(lineage, id)
    this.#unnamed.delete(lineage)
    const known = [lineage.folder, this.#recorded.get(id), former]
    const free = known.find((folder) => folder !== undefined && (this.#owners.get(folder) ?? lineage) === lineage)
    const folder = free ?? this.#newName(id, lineage)
    lineage.folder = folder
    if (lineage.users.size > 0) this.#owners.set(folder, lineage)
    return folder
  }

  /**
   * The folder that the node had under the id that an earlier run knew it by; undefined if it has one under its own, or
   * if another node has that id now.
   */
  async #formerFolder({ was, folder }: Lineage, id: string): Promise<string | undefined> {
    if (was === undefined || folder !== undefined || this.#recorded.has(id)) return undefined
    if ([...this.#inGraph].some((other) => other.id === was)) return undefined
    const former = this.#recorded.get(was) ?? was
    const isOwn = (this.#recordedOwner(former) ?? was) === was
    return isOwn && !(await this.#exists(id)) && (await this.#exists(former)) ? former : undefined
  }

  #newName(id: string, lineage: Lineage): string {
    const isFree = (folder: string): boolean =>
      (this.#owners.get(folder) ?? lineage) === lineage && (this.#recordedOwner(folder) ?? id) === id
    let folder = id
    for (let number = 2; !isFree(folder); number++) folder = `${id}~${number}`
    return folder
  }

  /** The id under which that folder is recorded. */
  #recordedOwner(folder: string): string | undefined {
    for (const [id, recorded] of this.#recorded) if (recorded === folder) return id
    return undefined
  }

  /** Writes `renamed.json` if it has changed. What it says of removed nodes stays. */
  async #record(): Promise<void> {
    this.#isRecordDue = false
    const recorded = new Map(this.#recorded)
    // Two nodes have one id while one of them is still to be replaced: it belongs to the one that got it last.
    for (const { id, folder } of [...this.#inGraph]) {
      if (folder === undefined) continue
      for (const [other, name] of recorded) if (name === folder) recorded.delete(other)
      if (folder !== id && (await this.#exists(folder))) recorded.set(id, folder)
      else recorded.delete(id)
    }
    const text = textOf(recorded)
    if (text === textOf(this.#recorded)) return
    await writeAtomically(this.#renamedFile, text)
    this.#recorded = recorded
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
    this.#recorded = new Map(Object.entries(parseFolders(text)))
    this.#isLoaded = true
  }

  get #renamedFile(): string {
    return join(this.#stateDir, NODES, RENAMED_FILE)
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      await this.#load()
      await this.#nameAll()
      return run()
    })
    this.#queue = turn.catch(() => undefined)
    return turn
  }
}

function textOf(recorded: ReadonlyMap<string, string>): string {
  return `${JSON.stringify(Object.fromEntries(recorded), undefined, 2)}\n`
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
