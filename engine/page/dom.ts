// Elements from names and texts. Texts become text nodes, never markup.

export type Child = Node | string
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** `true` is an attribute without a value; `false` and `undefined` are none. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

export function drawing<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

export function setAttributes(of: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const text = value === true ? '' : value === false ? undefined : value
    if (text === undefined) of.removeAttribute(name)
    else if (of.getAttribute(name) !== String(text)) of.setAttribute(name, String(text))
  }
}

/** Touches the page only if the text is another one, so that a selection stays. */
export function setText(of: Node, text: string): void {
  if (of.textContent !== text) of.textContent = text
}

/** Throws if the page has no such element. */
export function find(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

interface KeyedChild<Item> {
  readonly element: Element
  update(item: Item): void
}

/** Children by key: those that stay are updated in place, so that focus and selection stay too. */
export class KeyedChildren<Item> {
  readonly #parent: Element
  readonly #keyOf: (item: Item) => string
  readonly #make: (item: Item) => KeyedChild<Item>
  #known = new Map<string, KeyedChild<Item>>()

  constructor(parent: Element, keyOf: (item: Item) => string, make: (item: Item) => KeyedChild<Item>) {
    this.#parent = parent
    this.#keyOf = keyOf
    this.#make = make
  }

  /** The items of one call have different keys; of two with the same, the first is shown. */
  show(items: readonly Item[]): void {
    const next = new Map<string, KeyedChild<Item>>()
    let place: Element | null = this.#parent.firstElementChild
    for (const item of items) {
      const key = this.#keyOf(item)
      if (next.has(key)) continue
      const child = this.#known.get(key) ?? this.#make(item)
      next.set(key, child)
      child.update(item)
      if (child.element === place) place = place.nextElementSibling
      else this.#parent.insertBefore(child.element, place)
    }
    for (const [key, child] of this.#known) if (!next.has(key)) child.element.remove()
    this.#known = next
  }
}
