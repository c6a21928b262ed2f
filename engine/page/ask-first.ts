// The dialog in front of everything that changes the engine: it asks for the token where nobody has signed in, says what
// will happen and to how many viewers, and what came of it.
import { ApiFailure, ask } from './api-client.js'
import { type Child, element, setText } from './dom.js'
import { signInForm } from './sign-in.js'

interface Field {
  readonly name: string
  readonly help: string
}

export interface Change {
  /** A question. */
  readonly title: string
  /** Whom it hits, and how. */
  readonly about: readonly Child[]
  /** The button that does it; without it there is nothing to do. */
  readonly button?: string
  /** What it needs to know. */
  readonly fields?: readonly Field[]
  /** `values`: of the fields that are not empty. Resolves with one sentence. */
  carryOut?(values: Readonly<Record<string, string>>): Promise<string>
}

const UNAUTHORIZED = 401

/** `prepare`: called once somebody has signed in; what it rejects with is shown. */
export function askFirst(prepare: () => Change | Promise<Change>): void {
  const dialog = element('dialog', { 'aria-labelledby': 'question' })
  document.body.append(dialog)
  dialog.addEventListener('close', () => dialog.remove())
  dialog.showModal()
  new Question(dialog, prepare).open()
}

export function viewersText(count: number): string {
  return count === 0 ? 'No viewer is behind it.' : `${count} viewer${count === 1 ? ' is' : 's are'} behind it.`
}

class Question {
  readonly #dialog: HTMLDialogElement
  readonly #prepare: () => Change | Promise<Change>

  constructor(dialog: HTMLDialogElement, prepare: () => Change | Promise<Change>) {
    this.#dialog = dialog
    this.#prepare = prepare
  }

  open(): void {
    this.#show('One moment ...')
    this.#openAsked().catch((error: unknown) => this.#fail(error))
  }

  async #openAsked(): Promise<void> {
    const { signedIn } = await ask<{ readonly signedIn: boolean }>('GET', 'session')
    if (!signedIn) return this.#signIn()
    this.#ask(await this.#prepare())
  }

  #signIn(): void {
    const form = signInForm(() => {
      document.dispatchEvent(new Event('signed-in'))
      this.open()
    })
    this.#show('Changes need the token', form)
    form.querySelector('input')?.focus()
  }

  #ask({ title, about, button, fields = [], carryOut }: Change): void {
    if (button === undefined || carryOut === undefined) return this.#show(title, ...about)
    const inputs = fields.map(({ name, help }) => ({ name, help, input: element('input', { autocomplete: 'off' }) }))
    const labels = inputs.map(({ name, help, input }) =>
      element('label', { class: 'field' }, name, input, element('small', { class: 'quiet' }, help)),
    )
    const go = element('button', { type: 'button' }, button)
    this.#show(title, ...about, ...labels, go)
    go.addEventListener('click', () => {
      const values = inputs.flatMap(({ name, input }) => (input.value === '' ? [] : [[name, input.value] as const]))
      this.#show(`${button} ...`)
      carryOut(Object.fromEntries(values)).then(
        (said) => this.#show(said),
        (error: unknown) => this.#fail(error),
      )
    })
  }

  #fail(error: unknown): void {
    // The session has ended meanwhile.
    if (error instanceof ApiFailure && error.status === UNAUTHORIZED) return this.#signIn()
    this.#show('It was not done', error instanceof Error ? error.message : 'the engine did not answer')
  }

  /** The way out comes first, so that Enter changes nothing. */
  #show(title: string, ...about: readonly Child[]): void {
    const close = element('button', { type: 'button', class: 'plain' }, 'Close')
    close.addEventListener('click', () => this.#dialog.close())
    const heading = element('h2', { id: 'question', tabindex: -1 })
    setText(heading, title)
    const buttons = about.filter((each) => each instanceof HTMLButtonElement)
    const texts = about.filter((each) => !(each instanceof HTMLButtonElement))
    const paragraphs = texts.map((each) => (typeof each === 'string' ? element('p', {}, each) : each))
    this.#dialog.replaceChildren(heading, ...paragraphs, element('div', { class: 'buttons' }, close, ...buttons))
    close.focus()
  }
}
