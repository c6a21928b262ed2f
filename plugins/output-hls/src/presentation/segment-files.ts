// The segments that can be downloaded, by their URIs: those that are listed, and those that have left the lists a while
// ago. Keys and initialisation sections live as long as a segment that needs them.
import type { Keys } from '../playlist/keys.js'
import type { SegmentMedia } from '../playlist/segment-list.js'
import type { InitFiles } from '../segment/init-files.js'

export class SegmentFiles extends Map<string, SegmentMedia> {
  readonly #keys: Keys
  readonly #inits: InitFiles

  constructor(keys: Keys, inits: InitFiles) {
    super()
    this.#keys = keys
    this.#inits = inits
  }

  override set(uri: string, media: SegmentMedia): this {
    this.delete(uri)
    if (media.key !== undefined) this.#keys.add(media.key.id)
    if (media.iframe !== undefined) this.#inits.add(media.iframe.init)
    return super.set(uri, media)
  }

  override delete(uri: string): boolean {
    const { key, iframe } = this.get(uri) ?? {}
    if (key !== undefined) this.#keys.remove(key.id)
    if (iframe !== undefined) this.#inits.remove(iframe.init)
    return super.delete(uri)
  }
}
