// The secrets of one opened node: it reads those of the configuration, and hides those that it learns.
import type { HiddenValue, HiddenValues } from '../graph/hidden-values.js'
import type { Secrets } from '../plugin/secrets.js'
import { KeyedDigest } from './keyed-digest.js'
import { secretError } from './secret-errors.js'

const MOST_HIDDEN = 64
const LONGEST_HIDDEN = 4096

export interface NodeSecretsSettings {
  /** Id of the node, which a reload may rename. */
  owner(): string
  /** The value in the configuration that its options come from; undefined if that declares no such secret. */
  secretOf(name: string): string | undefined
  readonly hidden: HiddenValues
}

export class NodeSecrets implements Secrets {
  readonly #settings: NodeSecretsSettings
  readonly #hidden = new Set<HiddenValue>()
  readonly #digest = new KeyedDigest()
  #isClosed = false

  constructor(settings: NodeSecretsSettings) {
    this.#settings = settings
  }

  read(name: string): string {
    const { secretOf, owner } = this.#settings
    const value = secretOf(name)
    if (value === undefined) throw secretError('SECRET_UNKNOWN', `there is no secret "${name}"`, { at: owner() })
    return value
  }

  hide(value: string): Disposable {
    if (typeof value !== 'string') throw new TypeError('a secret to hide is a text')
    const refuse = (why: string): Error => secretError('SECRET_NOT_HIDDEN', why, { at: this.#settings.owner() })
    if (value.length > LONGEST_HIDDEN) throw refuse(`a secret of more than ${LONGEST_HIDDEN} characters`)
    if (this.#hidden.size >= MOST_HIDDEN) throw refuse(`more than ${MOST_HIDDEN} secrets at a time`)
    const hidden = this.#settings.hidden.hide(value)
    if (this.#isClosed) hidden.leave()
    else this.#hidden.add(hidden)
    return {
      [Symbol.dispose]: () => {
        this.#hidden.delete(hidden)
        hidden[Symbol.dispose]()
      },
    }
  }

  equal(a: string, b: string): boolean {
    return this.#digest.matches(this.#digest.of(a), b)
  }

  /** The node has ended. What it has not disposed stays hidden for a while. */
  close(): void {
    this.#isClosed = true
    for (const hidden of this.#hidden) hidden.leave()
    this.#hidden.clear()
  }
}
