// Names of sessions: a number that counts, behind a few characters that change with every start of the process. They are
// no secret, since sending a viewer away needs the token of the control API; the characters are there so that an id noted
// before a restart does not mean somebody else after it.
import { randomInt } from 'node:crypto'

const LENGTH = 4

export class SessionIds {
  readonly #prefix = randomInt(36 ** LENGTH)
    .toString(36)
    .padStart(LENGTH, '0')
  #last = 0

  /** As `k3f9-17`. */
  next(): string {
    return `${this.#prefix}-${++this.#last}`
  }
}
