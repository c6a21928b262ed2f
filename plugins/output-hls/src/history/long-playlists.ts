// The long playlists by their names: which there are, and the text of each.
import type { TextVersion } from '../serve/playlist-text.js'
import type { HistoryHost } from './history-host.js'
import type { LongLife, LongList } from './long-list.js'
import { LONG_KINDS, type LongKind, longUri, splitLongUri, windowUri } from './long-uris.js'
import type { Losses } from './losses.js'

export interface LongPlaylistsHost {
  readonly list: LongList
  readonly losses: Losses
  readonly history: Pick<HistoryHost, 'settings' | 'ranges'>
  /** What the last process has left is not listed yet, and will be. */
  readonly isIncomplete: boolean
}

export class LongPlaylists {
  readonly #host: LongPlaylistsHost

  constructor(host: LongPlaylistsHost) {
    this.#host = host
  }

  /** Which of them are offered now: `Losses`. */
  get floor(): number {
    return this.#host.losses.floor
  }

  /** Where everything is listed. Undefined: nowhere but in the playlists of the window. */
  uri(kind: LongKind, rendition: string, life: string): string | undefined {
    return this.#uri(kind, rendition, life, this.floor)
  }

  /** This playlist is not there before what the last process has left is read: its numbers never go back. */
  isComing(uri: string, life: string): boolean {
    if (!this.#host.isIncomplete) return false
    const { base } = splitLongUri(uri)
    return this.#host.list.renditions.some((name) => this.#kindOf(base, name, life) !== undefined)
  }

  /** Undefined: there is none of that name. */
  find(
    uri: string,
    life: LongLife,
    { hasEnded, token }: { readonly hasEnded: boolean; readonly token: string },
  ): TextVersion | undefined {
    if (this.isComing(uri, life.id)) return undefined
    const { list, losses, history } = this.#host
    const { base, floor } = splitLongUri(uri)
    const before = losses.listBefore(floor)
    for (const rendition of list.renditions) {
      const kind = this.#kindOf(base, rendition, life.id)
      if (kind === undefined) continue
      const version = { kind, life, hasEnded, isEvent: history.settings.isEvent, ranges: history.ranges }
      // The same URI has texts of both lists, one after the other.
      return (before ?? list).text(rendition, version, before === undefined ? token : `${token}-${this.floor}`)
    }
    return undefined
  }

  #kindOf(base: string, rendition: string, life: string): LongKind | undefined {
    return LONG_KINDS.find((kind) => this.#uri(kind, rendition, life, 0) === base)
  }

  #uri(kind: LongKind, rendition: string, life: string, floor: number): string | undefined {
    const { dvrMs, isEvent } = this.#host.history.settings
    if (isEvent) return windowUri(kind, rendition, life)
    return dvrMs > 0 ? longUri(kind, rendition, life, floor) : undefined
  }
}
