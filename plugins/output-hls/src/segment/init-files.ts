// The initialisation sections of the segments that can be downloaded. There is one for each set of tables, so few.
import { initName, initSection } from './init-section.js'

export class InitFiles {
  readonly #bytes = new Map<string, Uint8Array>()
  readonly #users = new Map<string, number>()

  /** The name of the section with these tables. It stays until the last segment that needs it is removed. */
  nameOf(tables: Uint8Array): string {
    const bytes = initSection(tables)
    const name = initName(bytes)
    this.#bytes.set(name, bytes)
    return name
  }

  /** Of a segment that an earlier process has made. Of other bytes it has another name. */
  restore(bytes: Uint8Array): void {
    this.#bytes.set(initName(bytes), bytes)
  }

  /** By its name. */
  get(name: string): Uint8Array | undefined {
    return this.#bytes.get(name)
  }

  add(name: string): void {
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1)
  }

  remove(name: string): void {
    const left = (this.#users.get(name) ?? 0) - 1
    if (left > 0) this.#users.set(name, left)
    else {
      this.#users.delete(name)
      this.#bytes.delete(name)
    }
  }
}
