// The EXT-X-KEY tags of one playlist (RFC 8216, 4.3.2.4). Each applies until the next, so it stands at the head and at each
// change. With an explicit IV, what it applies to can be decrypted wherever it stands.
import type { SegmentKey } from './keys.js'

const NONE = '#EXT-X-KEY:METHOD=NONE'

export class KeyTags {
  readonly #uriOf: (id: string) => string
  #inForce: string | undefined

  /** `uriOf`: where the key of this id is. */
  constructor(uriOf: (id: string) => string = keyUri) {
    this.#uriOf = uriOf
  }

  /** The lines in front of a segment. `key`: undefined if it is not encrypted. */
  before(key: SegmentKey | undefined): readonly string[] {
    if (key?.id === this.#inForce) return []
    this.#inForce = key?.id
    return [key === undefined ? NONE : `#EXT-X-KEY:METHOD=AES-128,URI="${this.#uriOf(key.id)}",IV=0x${key.iv}`]
  }
}

function keyUri(id: string): string {
  return `${id}.key`
}
