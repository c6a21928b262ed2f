// One version of a playlist, as it is sent: its bytes, zipped once and only when somebody takes them so, and its tag.
import { ZippedText } from './zipped-text.js'

export interface TextVersion {
  readonly text: string
  readonly plain: Buffer
  /** Without quotes. */
  readonly tag: string
  /** A promise only for a long text that nobody has asked for before. */
  zip(): Buffer | Promise<Buffer>
  /** Another form of this version, made once: always the same one. */
  rewritten(rewrite: (text: string) => string): TextVersion
}

export class PlaylistText implements TextVersion {
  readonly text: string
  readonly plain: Buffer
  /** Without quotes. */
  readonly tag: string
  readonly #zipped: ZippedText
  #rewritten: PlaylistText | undefined

  /** `tag`: another text never has it. */
  constructor(text: string, tag: string) {
    this.text = text
    this.plain = Buffer.from(text)
    this.tag = tag
    this.#zipped = new ZippedText(this.plain)
  }

  rewritten(rewrite: (text: string) => string): PlaylistText {
    this.#rewritten ??= new PlaylistText(rewrite(this.text), `${this.tag}-rewritten`)
    return this.#rewritten
  }

  zip(): Buffer | Promise<Buffer> {
    return this.#zipped.get()
  }
}
