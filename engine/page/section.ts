// Parts of a view that come and go.
import { element } from './dom.js'

export function section(title: string, ...children: readonly Node[]): HTMLElement {
  return element('section', {}, element('h3', {}, title), ...children)
}

/** Lists that rarely change are drawn anew when they do. */
export function redraw(of: HTMLElement, shape: unknown, draw: () => readonly Node[]): void {
  const text = JSON.stringify(shape) ?? ''
  if (of.dataset['shape'] === text) return
  of.dataset['shape'] = text
  of.replaceChildren(...draw())
}
