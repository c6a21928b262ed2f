// The secrets of a node in tests: the test sets them, and sees which values the node hides.
import { secretError } from '../access/secret-errors.js'
import type { Secrets } from '../plugin/secrets.js'

export class FakeSecrets implements Secrets {
  /** By name; the test may change them, as a reload does. */
  readonly values: Map<string, string>
  /** What the node hides now. */
  readonly hidden: string[] = []

  constructor(values: Readonly<Record<string, string>> = {}) {
    this.values = new Map(Object.entries(values))
  }

  read(name: string): string {
    const value = this.values.get(name)
    if (value === undefined) throw secretError('SECRET_UNKNOWN', `there is no secret "${name}"`)
    return value
  }

  hide(value: string): Disposable {
    this.hidden.push(value)
    let isHidden = true
    return {
      [Symbol.dispose]: () => {
        if (isHidden) this.hidden.splice(this.hidden.indexOf(value), 1)
        isHidden = false
      },
    }
  }

  equal(a: string, b: string): boolean {
    return a === b
  }
}
