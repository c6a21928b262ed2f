// The keys and initialisation sections that segments of the history need: they live as long as the last of these.
import type { Keys } from '../playlist/keys.js'
import type { InitFiles } from '../segment/init-files.js'
import type { LongEntry } from './long-list.js'

export interface Need {
  readonly name: string
  readonly of: 'keys' | 'inits'
  lastSequence: number
}

export class SegmentNeeds {
  readonly #keys: Pick<Keys, 'add' | 'remove'>
  readonly #inits: Pick<InitFiles, 'add' | 'remove'>
  readonly #needs = new Map<string, Need>()

  constructor(keys: Pick<Keys, 'add' | 'remove'>, inits: Pick<InitFiles, 'add' | 'remove'>) {
    this.#keys = keys
    this.#inits = inits
  }

  add(entry: LongEntry): void {
    noteNeeds(this.#needs, entry, (need) => this.#begin(need))
  }

  /** Of segments of the last process. */
  restore(needs: ReadonlyMap<string, Need>): void {
    for (const [id, need] of needs) {
      const known = this.#needs.get(id)
      if (known !== undefined) known.lastSequence = Math.max(known.lastSequence, need.lastSequence)
      else {
        this.#needs.set(id, { ...need })
        this.#begin(need)
      }
    }
  }

  removeThrough(sequence: number): void {
    for (const [id, { name, of, lastSequence }] of this.#needs) {
      if (lastSequence > sequence) continue
      this.#needs.delete(id)
      if (of === 'keys') this.#keys.remove(name)
      else this.#inits.remove(name)
    }
  }

  #begin({ of, name }: Need): void {
    if (of === 'keys') this.#keys.add(name)
    else this.#inits.add(name)
  }
}

/** `onNew`: called for what no segment before has needed. */
export function noteNeeds(
  needs: Map<string, Need>,
  { sequence, media }: LongEntry,
  onNew: (need: Need) => void = () => undefined,
): void {
  const note = (of: Need['of'], name: string): void => {
    const id = `${of} ${name}`
    const known = needs.get(id)
    if (known !== undefined) return void (known.lastSequence = sequence)
    const need = { name, of, lastSequence: sequence }
    needs.set(id, need)
    onNew(need)
  }
  for (const { key, iframe } of media.values()) {
    if (key !== undefined) note('keys', key.id)
    if (iframe !== undefined) note('inits', iframe.init)
  }
}
