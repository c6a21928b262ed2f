// After the end of a playlist: looks for one that has not ended, and then calls back.

const LOOK_EVERY_MS = 5000

export class ReturnWatch {
  readonly #url: string
  readonly #onReturn: () => void
  #timer: number | undefined

  constructor(url: string, onReturn: () => void) {
    this.#url = url
    this.#onReturn = onReturn
  }

  /** The playlist that plays has ended. */
  start(): void {
    if (this.#timer !== undefined) return
    void this.#look()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    this.#timer = setTimeout(() => void this.#look(), LOOK_EVERY_MS * (0.75 + Math.random() / 2))
    const first = await firstPlaylist(this.#url)
    if (first === undefined || this.#timer === undefined) return
    if (!first.hasEnded) {
      this.stop()
      this.#onReturn()
    }
  }
}

/** Whether the first media playlist of a multivariant one has ended; undefined if there is none. */
async function firstPlaylist(url: string): Promise<{ readonly hasEnded: boolean } | undefined> {
  try {
    const response = await fetch(url)
    const uri = (await response.text()).split('\n').find((line) => line !== '' && !line.startsWith('#'))
    if (!response.ok || uri === undefined) return undefined
    const media = await fetch(new URL(uri, response.url))
    return media.ok ? { hasEnded: (await media.text()).includes('#EXT-X-ENDLIST') } : undefined
  } catch {
    return undefined
  }
}
