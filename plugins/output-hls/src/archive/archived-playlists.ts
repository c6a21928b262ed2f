// The playlists of times in the archive, by their names. Reading indexes is work, so the same time is read once for a while,
// and only a few wait for that.
import { createHash } from 'node:crypto'
import { PlaylistText, type TextVersion } from '../serve/playlist-text.js'
import type { Archive } from './archive.js'
import { leadToArchive, parsePlaylistName } from './archive-names.js'
import { ReadingTurns } from './reading-turns.js'
import { renderArchived } from './render-archived.js'
import { type AskedTime, LONGEST_MS } from './time-query.js'

/** Texts that are kept, and bytes of these: a day has several MiB. */
const MOST_TEXTS = 32
const MOST_BYTES = 32 * 1024 * 1024
/** What ends now still grows. */
const KEPT_MS = 4000

/** Who asks, and when: the monotonic time. */
export interface Asking {
  readonly address: string
  readonly nowMs: number
}

interface KnownText {
  readonly untilMs: number
  /** 0 until it has been read. */
  bytes: number
  readonly text: Promise<TextVersion | undefined>
}

export class ArchivedPlaylists {
  readonly #texts = new Map<string, KnownText>()
  readonly #turns = new ReadingTurns()

  /** Undefined: there is nothing of that time. `busy`: too many times are being read. Rejects as the disk does. */
  multivariant(archive: Archive, asked: AskedTime, by: Asking): Promise<TextVersion | undefined> | 'busy' {
    return this.#text(`${asked.startMs}-${asked.durationMs}`, by, async () => {
      const multivariant = await archive.readMultivariant(asked)
      return multivariant === undefined ? undefined : leadToArchive(multivariant, asked)
    })
  }

  /** The media playlist of that name. */
  media(archive: Archive, name: string, by: Asking): Promise<TextVersion | undefined> | 'busy' {
    const wanted = parsePlaylistName(name)
    if (wanted === undefined || wanted.durationMs > LONGEST_MS) return Promise.resolve(undefined)
    return this.#text(name, by, async () => {
      const { segments, ranges } = await archive.read(wanted)
      return renderArchived(segments, wanted.rendition, wanted.kind, ranges)
    })
  }

  #text(
    name: string,
    { nowMs, address }: Asking,
    render: () => Promise<string | undefined>,
  ): KnownText['text'] | 'busy' {
    this.#expire(nowMs)
    const known = this.#texts.get(name)
    if (known !== undefined) return known.text
    const text = this.#turns.run(address, async () => {
      try {
        const rendered = await render()
        const made = rendered === undefined ? undefined : new PlaylistText(rendered, `archive-${tagOf(rendered)}`)
        // Zipped beside other work: viewers who take it so need not wait for it in turn.
        const zipped = await made?.zip()
        // As characters, as bytes, and zipped.
        kept.bytes = made === undefined ? 0 : 2 * made.plain.length + zipped!.length
        this.#dropTooMany()
        return made
      } catch (error) {
        if (this.#texts.get(name) === kept) this.#texts.delete(name)
        throw error
      }
    })
    if (text === 'busy') return text
    const kept: KnownText = { untilMs: nowMs + KEPT_MS, text, bytes: 0 }
    this.#texts.set(name, kept)
    if (this.#texts.size > MOST_TEXTS) this.#dropOldest()
    return text
  }

  #dropTooMany(): void {
    const total = (): number => [...this.#texts.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    while (this.#texts.size > 1 && total() > MOST_BYTES) this.#dropOldest()
  }

  #dropOldest(): void {
    const [oldest] = this.#texts.keys()
    if (oldest !== undefined) this.#texts.delete(oldest)
  }

  #expire(nowMs: number): void {
    for (const [name, { untilMs }] of this.#texts) if (nowMs >= untilMs) this.#texts.delete(name)
  }
}

function tagOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
