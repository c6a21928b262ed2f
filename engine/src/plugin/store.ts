// What a node may write: files in a folder of its own, and folders that its configuration names. Errors reject the call
// with an EngineError and concern that node alone; nothing here blocks the event loop.

import type { MediaFolder } from './media-folder.js'

export interface Store {
  /**
   * The node's own folder, absolute, created with mode 0700 at the first call. It keeps its path while the engine runs,
   * also when a reload replaces or renames the node, and its files over restarts. A removed node leaves its files; a
   * node that is added later under that name finds them. Rejects with STORE_FAILED.
   */
  folder(): Promise<string>
  /**
   * Makes a folder that the configuration names, and checks that files can be created in it. Returns its path. Rejects
   * with STORE_FOLDER unless the path is absolute and the folder can be written.
   */
  at(path: string): Promise<string>
  /**
   * A file of the own folder; undefined if there is none. `name`: 1 to 128 characters of `A-Z a-z 0-9 . _ -`, without
   * `..`. Rejects with STORE_NAME, STORE_FAILED.
   */
  read(name: string): Promise<Uint8Array | undefined>
  /**
   * Writes a file of the own folder: readers see the old content or the new, also after a crash. Writes of one name
   * happen in the order of the calls; one that still waits is left out if a newer one follows, and settles with that.
   * The bytes are copied before it returns; at most 64 MiB. Rejects with STORE_NAME, STORE_FAILED, or STORE_BUSY if more
   * than 128 MiB of the node would wait for the disk; then the old content is still there.
   */
  write(name: string, bytes: Uint8Array): Promise<void>
  /**
   * A folder for large files, created if need be. `use`: its name. `path`: where the configuration wants it, absolute or
   * relative to the state folder; each node has a folder of its own there, which follows renames as `folder` does. By
   * default it is in the node's own folder. Rejects with STORE_FOLDER if it cannot be written.
   */
  media(use: string, path?: string): Promise<MediaFolder>
}
