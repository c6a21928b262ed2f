// A folder on a disk that may not be there yet, or no longer: what is asked of it opens it, again and again until that
// succeeds. So a bad disk costs an output nothing but that disk.
import type { KeptMedia, MediaFolder } from '@millrace/engine/plugin'

export class LateFolder implements MediaFolder {
  /** As configured: it tells whether two of them are one. */
  readonly path: string
  readonly #make: () => Promise<MediaFolder>
  #opened: MediaFolder | undefined
  #opening: Promise<MediaFolder> | undefined

  constructor(path: string, make: () => Promise<MediaFolder>) {
    this.path = path
    this.#make = make
  }

  async list(folder?: string): Promise<readonly string[]> {
    return (await this.open()).list(folder)
  }

  async size(name: string): Promise<number | undefined> {
    return (await this.open()).size(name)
  }

  async write(name: string, media: KeptMedia): Promise<void> {
    return (await this.open()).write(name, media)
  }

  async adopt(name: string, from: MediaFolder): Promise<void> {
    const source = from instanceof LateFolder ? await from.open() : from
    return (await this.open()).adopt(name, source)
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    return (await this.open()).append(name, bytes)
  }

  async read(name: string, from: number, length: number): Promise<Uint8Array> {
    return (await this.open()).read(name, from, length)
  }

  media(name: string, length: number): KeptMedia {
    return this.#opened?.media(name, length) ?? this.#lateMedia(name, length)
  }

  async remove(name: string): Promise<void> {
    return (await this.open()).remove(name)
  }

  /** Rejects as the store does. */
  open(): Promise<MediaFolder> {
    if (this.#opened !== undefined) return Promise.resolve(this.#opened)
    this.#opening ??= this.#make()
      .then((folder) => (this.#opened = folder))
      .finally(() => (this.#opening = undefined))
    return this.#opening
  }

  /** Opens the folder when it is sent: nothing may have been written since a reload. */
  #lateMedia(name: string, length: number): KeptMedia {
    return {
      length,
      sendTo: async (stream, options) => {
        const folder = await this.open().catch(() => undefined)
        return folder === undefined ? false : folder.media(name, length).sendTo(stream, options)
      },
      release: () => undefined,
    }
  }
}
