// For tests of the files of nodes: a state folder, runs of an engine on it, and their nodes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClock } from '../observe/clock.js'
import type { Store } from '../plugin/store.js'
import { FakeContext } from '../testing/fake-context.js'
import { type JoinSettings, type Lineage, Lineages } from './lineages.js'
import { MediaFiles } from './media-files.js'
import { NodeFiles } from './node-files.js'
import { NodeFolders } from './node-folders.js'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** One run of an engine. */
export class EngineRun {
  readonly lineages: Lineages
  readonly files: NodeFiles

  constructor(path: string, { log }: FakeContext) {
    const folders = new NodeFolders(path, log)
    this.lineages = new Lineages(folders)
    this.files = new NodeFiles(folders, this.lineages, new MediaFiles(createClock()))
  }

  /** A node in the graph. */
  node(id: string, was?: string): TestNode {
    const node = this.standby(id, was)
    node.enter(id)
    return node
  }

  /** The store of a node in the graph. */
  store(id: string, was?: string): Store {
    return this.node(id, was).store
  }

  /** A node that is being prepared. `continues`: the one that it is to replace. */
  standby(id: string, was?: string, continues?: TestNode): TestNode {
    return new TestNode(this, id, { was, continues: continues?.lineage })
  }
}

export class TestNode {
  id: string
  readonly store: Store
  readonly #run: EngineRun
  readonly lineage: Lineage

  constructor(run: EngineRun, id: string, settings: JoinSettings) {
    this.id = id
    this.#run = run
    this.lineage = run.lineages.join(this, { id }, settings)
    this.store = run.files.storeOf(this.lineage, this)
  }

  enter(id: string): void {
    this.id = id
    this.#run.lineages.enter(this.lineage, this, id)
  }

  leave(): void {
    this.#run.lineages.leave(this.lineage, this)
  }

  end(): void {
    this.#run.lineages.end(this.lineage, this)
  }
}

/** A state folder. Each `run` is one run of an engine. */
export class StateFolder implements AsyncDisposable {
  readonly path: string
  readonly context = new FakeContext()
  readonly #runs: EngineRun[] = []

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<StateFolder> {
    return new StateFolder(await mkdtemp(join(tmpdir(), 'node-files-')))
  }

  run(): EngineRun {
    const run = new EngineRun(this.path, this.context)
    this.#runs.push(run)
    return run
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What is still being written would come back.
    await Promise.all(this.#runs.map(({ files }) => files.settled()))
    await rm(this.path, { recursive: true, force: true })
  }
}

export async function textOf(store: Store, name = 'state'): Promise<string | undefined> {
  const read = await store.read(name)
  return read && new TextDecoder().decode(read)
}
