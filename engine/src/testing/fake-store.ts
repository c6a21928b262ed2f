// The files of a node in tests: as in an engine, in a temporary folder, made when it is needed and removed when the store
// is disposed. Give the same store to two nodes, one after another, to test what the second finds.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClock } from '../observe/clock.js'
import type { MediaFolder } from '../plugin/media-folder.js'
import type { Store } from '../plugin/store.js'
import { MediaFiles } from '../state/media-files.js'
import { NodeFiles } from '../state/node-files.js'
import { Lineages } from '../state/lineages.js'
import { NodeFolders } from '../state/node-folders.js'
import { FakeContext } from './fake-context.js'

export class FakeStore implements Store, AsyncDisposable {
  readonly #id: string
  #opened: Promise<{ readonly root: string; readonly store: Store }> | undefined

  constructor(id = 'test/node') {
    this.#id = id
  }

  async folder(): Promise<string> {
    return (await this.#open()).store.folder()
  }

  async at(path: string): Promise<string> {
    return (await this.#open()).store.at(path)
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return (await this.#open()).store.read(name)
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const content = new Uint8Array(bytes)
    return (await this.#open()).store.write(name, content)
  }

  async media(use: string, path?: string): Promise<MediaFolder> {
    return (await this.#open()).store.media(use, path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#opened !== undefined) await rm((await this.#opened).root, { recursive: true, force: true })
    this.#opened = undefined
  }

  #open(): Promise<{ readonly root: string; readonly store: Store }> {
    this.#opened ??= this.#make()
    return this.#opened
  }

  async #make(): Promise<{ readonly root: string; readonly store: Store }> {
    const root = await mkdtemp(join(tmpdir(), 'millrace-store-'))
    const folders = new NodeFolders(root, new FakeContext(this.#id).log)
    const lineages = new Lineages(folders)
    const owner = { id: this.#id }
    return {
      root,
      store: new NodeFiles(folders, lineages, new MediaFiles(createClock())).storeOf(lineages.join(this, owner), owner),
    }
  }
}
