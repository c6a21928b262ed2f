// The prefix of ids that count up from every start of the process: an id noted before a restart names nothing after it.
import { randomInt } from 'node:crypto'

const LENGTH = 4

/** Four characters, different at (almost) every call, such as `k3f9`. */
export function makeIdPrefix(): string {
  return randomInt(36 ** LENGTH)
    .toString(36)
    .padStart(LENGTH, '0')
}
