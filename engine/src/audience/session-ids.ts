// Session ids: a counter after a prefix that changes with every start of the process. They are not secret, since
// kicking a viewer needs the token of the control API; the prefix keeps an id noted before a restart from naming
// another viewer after it.
import { makeIdPrefix } from '../observe/id-prefix.js'

export class SessionIds {
  readonly #prefix = makeIdPrefix()
  #last = 0

  /** For example `k3f9-17`. */
  next(): string {
    return `${this.#prefix}-${++this.#last}`
  }
}
