// Secrets that nodes learn at run time, in the forms that a mask searches for. Values that a node has left behind when it
// ended stay hidden, since its last log lines and errors may quote them; the oldest of these are forgotten.
import { FormIndex } from './form-index.js'
import { formsOf } from './secret-forms.js'

/** Values of ended nodes. */
const MOST_LEFT = 256

export class HiddenValues {
  /** Every form that must not be shown. */
  readonly forms = new FormIndex()
  /** Of each form, the number of values that have it. */
  readonly #values = new Map<string, number>()
  /** Releases the values of ended nodes, oldest first. */
  readonly #left: (() => void)[] = []

  /** Hides the value until it is disposed, or until `leave` was called for it and newer ones need the place. */
  hide(value: string): HiddenValue {
    const forms = value === '' ? [] : formsOf(value)
    for (const form of forms) this.#keep(form)
    let isHidden = true
    const show = (): void => {
      if (!isHidden) return
      isHidden = false
      for (const form of forms) this.#release(form)
    }
    return { [Symbol.dispose]: show, leave: () => this.#leave(show) }
  }

  #leave(show: () => void): void {
    this.#left.push(show)
    if (this.#left.length > MOST_LEFT) this.#left.shift()?.()
  }

  #keep(form: string): void {
    this.#values.set(form, (this.#values.get(form) ?? 0) + 1)
    this.forms.add(form)
  }

  #release(form: string): void {
    const left = (this.#values.get(form) ?? 0) - 1
    if (left > 0) {
      this.#values.set(form, left)
      return
    }
    this.#values.delete(form)
    this.forms.delete(form)
  }
}

export interface HiddenValue extends Disposable {
  /** The node that hid it has ended. */
  leave(): void
}
