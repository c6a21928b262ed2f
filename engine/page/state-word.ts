// The state of a node as a word with a mark; the colour says nothing more.
import { isBadState } from './model/index.js'
import { element, setAttributes, setText } from './dom.js'

export type Tone = 'ok' | 'warn' | 'bad' | 'quiet'

const MARKS: Readonly<Record<Tone, string>> = { ok: '●', warn: '▲', bad: '✕', quiet: '○' }

export interface StateText {
  readonly word: string
  readonly tone: Tone
}

/** `problem`: a node that works can have one. */
export function stateText(state: string, problem?: string): StateText {
  if (state === 'failed') return { word: 'failed', tone: 'bad' }
  if (isBadState(state)) return { word: state, tone: 'warn' }
  if (problem !== undefined) return { word: 'warning', tone: 'warn' }
  return { word: state, tone: state === 'ready' ? 'ok' : 'quiet' }
}

export function markOf(tone: Tone): string {
  return MARKS[tone]
}

export class StateWord {
  readonly element: HTMLElement
  readonly #mark = element('span', { 'aria-hidden': 'true' })
  readonly #word = element('span')

  constructor() {
    this.element = element('span', { class: 'state' }, this.#mark, ' ', this.#word)
  }

  update({ word, tone }: StateText): void {
    setAttributes(this.element, { 'data-tone': tone })
    setText(this.#mark, MARKS[tone])
    setText(this.#word, word)
  }
}
