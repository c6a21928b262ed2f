// The sentence over the picture, the badge beside the title, and the still of a channel without a picture.
import { findElement } from './find-element.js'
import type { TroubleText } from './trouble-text.js'

/** Shorter waits are not worth a word. */
const WORTH_SAYING_MS = 1200

type BadgeState = 'connecting' | 'live' | 'behind' | 'paused' | 'trouble' | 'refused' | 'ended'

const BADGES: Readonly<Record<BadgeState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  behind: 'Behind live',
  paused: 'Paused',
  trouble: 'Interrupted',
  refused: 'Cannot play',
  ended: 'Ended',
}

export class Notices {
  readonly #player = findElement('player', HTMLElement)
  readonly #notice = findElement('notice', HTMLElement)
  readonly #text = findElement('notice-text', HTMLElement)
  readonly #badge = findElement('badge', HTMLElement)
  readonly #still = findElement('still', HTMLElement)
  #waiting: number | undefined
  #trouble: TroubleText | undefined

  get trouble(): TroubleText | undefined {
    return this.#trouble
  }

  /** Undefined: it is over. */
  setTrouble(trouble: TroubleText | undefined): void {
    this.#trouble = trouble
    this.#show()
  }

  /** The picture stands, and should not. */
  setWaiting(sentence: string | undefined): void {
    clearTimeout(this.#waiting)
    this.#waiting = undefined
    if (sentence === undefined) return this.#show()
    this.#waiting = setTimeout(() => this.#show({ sentence, isFinal: false }), WORTH_SAYING_MS)
  }

  setBadge(state: BadgeState): void {
    if (this.#badge.dataset['state'] === state) return
    this.#badge.dataset['state'] = state
    this.#player.dataset['state'] = state
    this.#badge.textContent = BADGES[state]
  }

  /** There is sound, and no picture. */
  setStill(isShown: boolean): void {
    this.#still.hidden = !isShown
  }

  #show(waiting?: TroubleText): void {
    const shown = this.#trouble ?? waiting
    this.#notice.hidden = shown === undefined
    this.#notice.classList.toggle('final', shown?.isFinal ?? false)
    const sentence = shown?.sentence ?? ''
    if (this.#text.textContent !== sentence) this.#text.textContent = sentence
  }
}
