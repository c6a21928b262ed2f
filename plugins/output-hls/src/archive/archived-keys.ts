// Which keys segments of the archive need: what the indexes name, and nothing else.
import type { Archive } from './archive.js'
import type { ArchivedKey } from './archive-names.js'
import { ReadingTurns } from './reading-turns.js'

/** Of these the ids are kept; one has at most some hundred. */
const MOST_PERIODS = 32

interface KnownIds {
  /** Of the index when it was read: it grows. */
  readonly indexBytes: number | undefined
  readonly ids: ReadonlySet<string>
}

export class ArchivedKeys {
  readonly #turns = new ReadingTurns()
  readonly #known = new Map<string, KnownIds>()
  readonly #reading = new Map<string, Promise<KnownIds>>()
  #archive: Archive | undefined

  /** `busy`: too many indexes are being read. `address`: of the client. Rejects as the disk does. */
  has(archive: Archive, { period, id }: ArchivedKey, address: string): Promise<boolean> | 'busy' {
    if (archive !== this.#archive) this.#forget(archive)
    if (!archive.hasPeriod(period)) return Promise.resolve(false)
    if (this.#known.get(period)?.ids.has(id) === true) return Promise.resolve(true)
    const reading = this.#reading.get(period) ?? this.#read(archive, period, address)
    return reading === 'busy' ? 'busy' : reading.then(({ ids }) => ids.has(id))
  }

  #read(archive: Archive, period: string, address: string): Promise<KnownIds> | 'busy' {
    const reading = this.#turns.run(address, async () => {
      try {
        return await this.#idsOf(archive, period)
      } finally {
        if (archive === this.#archive) this.#reading.delete(period)
      }
    })
    if (reading !== 'busy') this.#reading.set(period, reading)
    return reading
  }

  async #idsOf(archive: Archive, period: string): Promise<KnownIds> {
    const before = this.#known.get(period)
    const indexBytes = await archive.indexBytes(period)
    if (before !== undefined && before.indexBytes === indexBytes) return before
    const found = { indexBytes, ids: await archive.keyIds(period) }
    if (archive !== this.#archive) return found
    this.#known.delete(period)
    this.#known.set(period, found)
    if (this.#known.size > MOST_PERIODS) this.#known.delete(this.#known.keys().next().value!)
    return found
  }

  #forget(archive: Archive): void {
    this.#archive = archive
    this.#known.clear()
    this.#reading.clear()
  }
}
