// Text from outside (names, log lines, user agents), made safe for a terminal, and measured in cells.

/** Control characters (Unicode category Cc), C1 included: some terminals obey those as well. */
const CONTROL = /\p{Cc}/gu
/** Overrides and isolates of the writing direction; they would move what stands beside the text. */
const DIRECTION = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu
/**
 * Characters of whose width terminals disagree: marks that combine, joiners, variation selectors, emoji, flags, fillers,
 * everything invisible.
 */
const DOUBTFUL =
  /[\p{M}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Extended_Pictographic}\p{Regional_Indicator}\u115f\u1160\u3164\uffa0]/u
const BEYOND_ASCII = /[^\x20-\x7e]/u
/** Longer texts are cut before they are looked at: nothing shows more. */
const MOST_CHARACTERS = 2000

/** Two cells each: East Asian Wide and Fullwidth (UAX #11), as far as the tables of all terminals agree. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115e],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4c6],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
]

/** One line without control characters; a character of doubtful width is a middle dot. With `ascii`, only ASCII. */
export function cleanText(text: string, ascii = false): string {
  const escaped = text
    .slice(0, MOST_CHARACTERS)
    .normalize('NFC')
    .replace(CONTROL, (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
    .replace(DIRECTION, '')
  if (!BEYOND_ASCII.test(escaped)) return escaped
  let clean = ''
  for (const character of escaped) {
    if (ascii ? BEYOND_ASCII.test(character) : isDoubtful(character)) clean += ascii ? '.' : '·'
    else clean += character
  }
  return clean
}

function isDoubtful(character: string): boolean {
  return (character.codePointAt(0) ?? 0) > 0xffff || DOUBTFUL.test(character)
}

/** Cells that a cleaned text takes. */
export function widthOf(text: string): number {
  if (!BEYOND_ASCII.test(text)) return text.length
  let width = 0
  for (const character of text) width += cellsOf(character)
  return width
}

function cellsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x1100) return 1
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

/** At most `width` cells; what is cut at the end is marked by an ellipsis. */
export function cutEnd(text: string, width: number, ellipsis = '…'): string {
  if (widthOf(text) <= width) return text
  if (width <= ellipsis.length) return takeStart(text, Math.max(0, width))
  return takeStart(text, width - ellipsis.length) + ellipsis
}

/** At most `width` cells; the middle is left out, for ids. */
export function cutMiddle(text: string, width: number, ellipsis = '…'): string {
  if (widthOf(text) <= width) return text
  if (width <= ellipsis.length) return takeStart(text, Math.max(0, width))
  const room = width - ellipsis.length
  const start = takeStart(text, Math.ceil(room / 2))
  return start + ellipsis + takeEnd(text, room - widthOf(start))
}

function takeStart(text: string, width: number): string {
  let [taken, used] = ['', 0]
  for (const character of text) {
    used += cellsOf(character)
    if (used > width) break
    taken += character
  }
  return taken
}

function takeEnd(text: string, width: number): string {
  let [taken, used] = ['', 0]
  for (const character of Array.from(text).toReversed()) {
    used += cellsOf(character)
    if (used > width) break
    taken = character + taken
  }
  return taken
}

/** Exactly `width` cells, cut or filled with spaces at the end. */
export function padEnd(text: string, width: number, ellipsis = '…'): string {
  const cut = cutEnd(text, width, ellipsis)
  return cut + ' '.repeat(Math.max(0, width - widthOf(cut)))
}

/** Exactly `width` cells, cut, or filled with spaces in front. */
export function padStart(text: string, width: number, ellipsis = '…'): string {
  const cut = cutEnd(text, width, ellipsis)
  return ' '.repeat(Math.max(0, width - widthOf(cut))) + cut
}
