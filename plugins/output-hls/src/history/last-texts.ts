// The last texts of long playlists whose lives have ended: they can be asked for as long as their segments.
import type { Life } from '../playlist/life.js'
import type { TextVersion } from '../serve/playlist-text.js'
import { LONG_KINDS, longUri, splitLongUri, windowUri } from './long-uris.js'

interface LastText {
  readonly text: TextVersion
  readonly life: string
  readonly untilMs: number
}

/** Lives. */
const MOST = 3

export class LastTexts {
  readonly #texts = new Map<string, LastText>()

  /** `find`: the text of a long playlist; undefined for other names. `floor`: that their URIs name now. */
  add(
    { id, endedUntilMs = 0 }: Pick<Life, 'id' | 'endedUntilMs'>,
    { renditions, floor }: { readonly renditions: readonly string[]; readonly floor: number },
    find: (uri: string) => TextVersion | undefined,
  ) {
    for (const each of renditions) {
      const long = LONG_KINDS.flatMap((kind) => [0, floor].map((from) => longUri(kind, each, id, from)))
      for (const uri of [...LONG_KINDS.map((kind) => windowUri(kind, each, id)), ...long]) {
        const text = find(uri)
        if (text !== undefined) this.#texts.set(uri, { text, life: id, untilMs: endedUntilMs })
      }
    }
    const lives = new Set([...this.#texts.values()].map(({ life }) => life))
    const tooMany = [...lives].slice(0, -MOST)
    for (const [uri, { life }] of this.#texts) if (tooMany.includes(life)) this.#texts.delete(uri)
  }

  get(uri: string): TextVersion | undefined {
    return (this.#texts.get(uri) ?? this.#texts.get(splitLongUri(uri).base))?.text
  }

  expire(nowMs: number): void {
    for (const [uri, { untilMs }] of this.#texts) if (nowMs >= untilMs) this.#texts.delete(uri)
  }
}
