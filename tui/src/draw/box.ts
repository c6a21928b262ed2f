// Borders around rows: one box, or several panes that share their borders.
import { cutEnd, widthOf } from '../text/cells.js'
import { fitLine, piece, plain, type Line } from './line.js'

export interface Glyphs {
  readonly ascii: boolean
  readonly ellipsis: string
  readonly box: {
    readonly topLeft: string
    readonly topRight: string
    readonly bottomLeft: string
    readonly bottomRight: string
    readonly teeLeft: string
    readonly teeRight: string
    readonly across: string
    readonly down: string
  }
}

export const UNICODE_GLYPHS: Glyphs = {
  ascii: false,
  ellipsis: '…',
  box: {
    ...{ topLeft: '┌', topRight: '┐', bottomLeft: '└', bottomRight: '┘', teeLeft: '├', teeRight: '┤' },
    ...{ across: '─', down: '│' },
  },
}

export const ASCII_GLYPHS: Glyphs = {
  ascii: true,
  ellipsis: '..',
  box: {
    ...{ topLeft: '+', topRight: '+', bottomLeft: '+', bottomRight: '+', teeLeft: '+', teeRight: '+' },
    ...{ across: '-', down: '|' },
  },
}

export interface Pane {
  readonly title: string
  readonly note?: string
  readonly lines: readonly Line[]
  /** Rows between its borders: lines that do not fit are left out, missing ones are empty. */
  readonly rows: number
}

export interface BoxOptions {
  readonly title: string
  readonly note?: string
  readonly width: number
  /** Rows, borders included. */
  readonly height: number
  readonly glyphs: Glyphs
}

/** Exactly `height` rows of `width` cells. */
export function drawBox(lines: readonly Line[], { title, note = '', width, height, glyphs }: BoxOptions): Line[] {
  if (height < 2 || width < 4) return lines.slice(0, height).map((line) => fitLine(line, width, glyphs.ellipsis))
  return drawPanes([{ title, note, lines, rows: height - 2 }], width, glyphs)
}

/** The panes below each other: their rows, a border between two, and one around them all. */
export function drawPanes(panes: readonly Pane[], width: number, glyphs: Glyphs): Line[] {
  const { box, ellipsis } = glyphs
  const inner = width - 2
  const drawn = panes.flatMap(({ title, note = '', lines, rows }, at): Line[] => {
    const [left, right] = at === 0 ? [box.topLeft, box.topRight] : [box.teeLeft, box.teeRight]
    const body = Array.from({ length: rows }, (_, row): Line => {
      return [piece(box.down, 'dim'), ...fitLine(lines[row] ?? [], inner, ellipsis), piece(box.down, 'dim')]
    })
    return [[piece(left, 'dim'), ...titleLine(title, note, inner, glyphs), piece(right, 'dim')], ...body]
  })
  return [...drawn, [piece(box.bottomLeft + box.across.repeat(inner) + box.bottomRight, 'dim')]]
}

function titleLine(title: string, note: string, inner: number, { box, ellipsis }: Glyphs): Line {
  const shownTitle = title === '' ? '' : ` ${cutEnd(title, Math.max(0, inner - 2), ellipsis)} `
  const left = inner - widthOf(shownTitle)
  const shownNote = note !== '' && widthOf(note) + 4 <= left ? ` ${note} ` : ''
  const fill = Math.max(0, left - widthOf(shownNote) - 1)
  return [
    piece(shownTitle, 'strong'),
    piece(box.across.repeat(fill), 'dim'),
    plain(shownNote),
    piece(left - widthOf(shownNote) > 0 ? box.across : '', 'dim'),
  ]
}

/** Two columns of lines; the left one is `width` cells wide, with a line between them. */
export function besideLine(
  left: readonly Line[],
  right: readonly Line[],
  { width, rows, glyphs }: { readonly width: number; readonly rows: number; readonly glyphs: Glyphs },
): Line[] {
  return Array.from({ length: rows }, (_, at): Line => {
    const own = fitLine(left[at] ?? [], width, glyphs.ellipsis)
    return [...own, piece(glyphs.box.down, 'dim'), ...(right[at] ?? [])]
  })
}

/** Two boxes of the same height, beside each other. */
export function beside(left: readonly Line[], right: readonly Line[]): Line[] {
  return left.map((row, at) => [...row, ...(right[at] ?? [])])
}
