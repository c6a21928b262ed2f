// A row of the screen: pieces of cleaned text, each with a meaning, which a theme turns into attributes.
import { cutEnd, widthOf } from '../text/cells.js'

export type Meaning = 'plain' | 'dim' | 'strong' | 'ok' | 'warn' | 'bad' | 'selected'

export interface Piece {
  readonly text: string
  readonly meaning: Meaning
}

export type Line = readonly Piece[]

export function plain(text: string): Piece {
  return { text, meaning: 'plain' }
}

export function piece(text: string, meaning: Meaning): Piece {
  return { text, meaning }
}

export function textOf(line: Line): string {
  return line.map(({ text }) => text).join('')
}

/** Exactly `width` cells. */
export function fitLine(line: Line, width: number, ellipsis = '…'): Line {
  const fitted: Piece[] = []
  let left = Math.max(0, width)
  for (const { text, meaning } of line) {
    if (left === 0) break
    const cut = cutEnd(text, left, ellipsis)
    fitted.push({ text: cut, meaning })
    left -= widthOf(cut)
    if (cut !== text) break
  }
  if (left > 0) fitted.push(plain(' '.repeat(left)))
  return fitted
}

/** The same text with one meaning. */
export function withMeaning(line: Line, meaning: Meaning): Line {
  return [{ text: textOf(line), meaning }]
}

/** Left and right text on one row; the left one gives way. */
export function justify(left: Line, right: Line, width: number, ellipsis = '…'): Line {
  const rightWidth = widthOf(textOf(right))
  if (rightWidth + 1 >= width) return fitLine(right, width, ellipsis)
  return [...fitLine(left, width - rightWidth - 1, ellipsis), plain(' '), ...right]
}
