// The file in the node's folder that holds its keys. Secret, like every file of a node: mode 0600.
import type { NodeContext, Store } from '@millrace/engine/plugin'
import { parseSavedKeys, type SavedKeys } from './keys.js'

const NAME = 'keys.json'

type Log = Pick<NodeContext['log'], 'warn'>

export class KeysFile {
  /** Of the last run; undefined if there are none. */
  readonly saved: SavedKeys | undefined
  readonly #store: Pick<Store, 'write'> | undefined
  readonly #log: Log

  private constructor(saved: SavedKeys | undefined, store: Pick<Store, 'write'> | undefined, log: Log) {
    this.saved = saved
    this.#store = store
    this.#log = log
  }

  /** Never rejects. `store`: undefined for a node that keeps no files. */
  static async open(store: Pick<Store, 'read' | 'write'> | undefined, log: Log): Promise<KeysFile> {
    if (store === undefined) return new KeysFile(undefined, undefined, log)
    try {
      const bytes = await store.read(NAME)
      const saved = bytes === undefined ? undefined : parseSavedKeys(bytes)
      const isDamaged = bytes !== undefined && saved === undefined
      if (isDamaged) log.warn('the file with the keys is damaged: new keys are made')
      return new KeysFile(saved, store, log)
    } catch (error) {
      // What is encrypted with the keys in it needs them again: it is not overwritten.
      log.warn({ err: error }, 'the keys of the last run cannot be read: this run has keys of its own')
      return new KeysFile(undefined, undefined, log)
    }
  }

  /** Never rejects. */
  async save(keys: SavedKeys): Promise<void> {
    try {
      await this.#store?.write(NAME, new TextEncoder().encode(`${JSON.stringify(keys)}\n`))
    } catch (error) {
      this.#log.warn({ err: error }, 'keys cannot be saved: they are lost when the engine stops')
    }
  }
}
