// Names with values that change.
import { element, KeyedChildren, setText } from './dom.js'

type Figure = readonly [name: string, value: string]

export class Figures {
  readonly element: HTMLElement
  readonly #rows: KeyedChildren<Figure>

  constructor(list: HTMLElement = element('dl', { class: 'figures' })) {
    this.element = list
    this.#rows = new KeyedChildren(
      list,
      ([name]) => name,
      ([name]) => {
        const value = element('dd')
        return {
          element: element('div', {}, element('dt', {}, name), value),
          update: ([, text]) => setText(value, text),
        }
      },
    )
  }

  update(figures: readonly Figure[]): void {
    this.#rows.show(figures)
  }
}
