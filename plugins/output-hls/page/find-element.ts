// Elements of the page by id. The text of the page and its modules come from one package, so a missing one is a mistake.

export function findElement<T extends typeof HTMLElement>(id: string, kind: T): InstanceType<T> {
  const found = document.getElementById(id)
  if (found instanceof kind) return found as InstanceType<T>
  throw new Error(`the page has no ${kind.name} "${id}"`)
}

export function findButton(id: string): HTMLButtonElement {
  return findElement(id, HTMLButtonElement)
}

/** Shows another icon of the page in a button. */
export function setIcon(button: HTMLElement, name: string): void {
  button.querySelector('use')?.setAttribute('href', `#i-${name}`)
}
