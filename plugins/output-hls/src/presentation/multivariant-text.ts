// The text of the multivariant playlist: a new version only when it differs.
import { iframeVariants } from '../playlist/iframe-variants.js'
import type { Life } from '../playlist/life.js'
import { LONG_KINDS, longUri, windowUri } from '../history/long-uris.js'
import { renderMultivariant } from '../playlist/render-multivariant.js'
import { PlaylistText } from '../serve/playlist-text.js'
import { describePresentation } from './describe-presentation.js'
import type { PresentationState } from './presentation-state.js'

export class MultivariantText {
  readonly #state: PresentationState
  readonly #token: string
  #text: PlaylistText | undefined
  #dvrText: PlaylistText | undefined
  #version = 0

  /** `token`: tells the texts of this process from those of others. */
  constructor(state: PresentationState, token: string) {
    this.#state = state
    this.#token = token
  }

  /** Undefined while no life lasts. */
  get text(): PlaylistText | undefined {
    return this.#text
  }

  /** That of the long playlists. */
  get dvrText(): PlaylistText | undefined {
    return this.#dvrText
  }

  render(life: Life): void {
    const { renditions } = this.#state
    const variants = renderMultivariant(describePresentation(renditions, life))
    const text = [variants, ...iframeVariants(renditions, life).map((line) => `${line}\n`)].join('')
    this.#renderLong(text, life.id, this.#state.names)
    if (text === this.#text?.text) return
    this.#text = new PlaylistText(text, `${this.#token}-multivariant-${++this.#version}`)
    this.#state.history.noteMultivariant(text)
    if (this.#state.archive !== undefined) this.#state.archive.multivariant = text
  }

  /** The text that the last process had. `life`: the one that goes on. */
  restore(text: string, life: string | undefined): void {
    this.#text = new PlaylistText(text, `${this.#token}-multivariant-${++this.#version}`)
    if (life === undefined) return
    this.#renderLong(text, life, this.#state.history.list.renditions)
  }

  clear(): void {
    this.#text = undefined
    this.#dvrText = undefined
  }

  #renderLong(text: string, life: string, names: readonly string[]): void {
    const long = longText(text, { life, names, floor: this.#state.history.playlists.floor })
    if (long !== this.#dvrText?.text) this.#dvrText = new PlaylistText(long, `${this.#token}-dvr-${++this.#version}`)
  }
}

interface LongNames {
  readonly life: string
  readonly names: readonly string[]
  readonly floor: number
}

/** The same with the URIs of the long playlists. */
function longText(text: string, { life, names, floor }: LongNames): string {
  let long = text
  for (const name of names) {
    for (const kind of LONG_KINDS) {
      const [uri, to] = [windowUri(kind, name, life), longUri(kind, name, life, floor)]
      long = long.replaceAll(`\n${uri}\n`, `\n${to}\n`).replaceAll(`URI="${uri}"`, `URI="${to}"`)
    }
  }
  return long
}
