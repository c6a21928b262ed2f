// What a node says about itself in the status: read on request, bounded; an error in it never fails the status.
import type { Json } from '../../plugin/contract.js'
import { messageOf } from '../../errors.js'
import { boundedJson } from './bounded-json.js'

/** As JSON, in UTF-16 code units. */
const MAX_DETAILS_LENGTH = 16 * 1024

export class NodeDetails {
  readonly #mask: (text: string) => string
  #read: (() => Json) | undefined

  /** `mask` hides secrets: a node can quote its options. */
  constructor(mask: (text: string) => string) {
    this.#mask = mask
  }

  set(read: () => Json): void {
    this.#read = read
  }

  clear(): void {
    this.#read = undefined
  }

  /** Undefined if the node has none; `{ error }` if they can't be shown. Never throws. */
  read(): Json | undefined {
    if (this.#read === undefined) return undefined
    try {
      return boundedJson(this.#read(), {
        most: MAX_DETAILS_LENGTH,
        tooLong: 'the details are longer than',
        mask: this.#mask,
      })
    } catch (error) {
      return { error: this.#mask(messageOf(error)) }
    }
  }
}
