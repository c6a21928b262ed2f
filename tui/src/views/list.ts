// What all lists share: columns, the part that is seen, the filter.
import { cleanText, cutMiddle, padEnd, padStart, widthOf } from '../text/cells.js'
import { piece, plain, textOf, type Line, type Meaning, type Piece } from '../draw/line.js'
import type { Glyphs } from '../draw/box.js'
import type { ListState } from './view.js'

export interface Column<Row> {
  readonly title: string
  /** Cells; the first column takes what is left. */
  readonly width: number
  readonly align: 'left' | 'right'
  cell(row: Row): string | Piece
  /** Larger first; without it the column does not sort. */
  sort?(row: Row): number | string
  /** Only with `w`, or where there is much room. */
  readonly isWide?: boolean
  readonly isId?: boolean
}

/** The columns that fit: they leave from the right, the first two never. */
export function fittingColumns<Row>(columns: readonly Column<Row>[], width: number, isWide: boolean): Column<Row>[] {
  const wanted = columns.filter((column) => isWide || column.isWide !== true)
  const fitting: Column<Row>[] = []
  let used = 2
  for (const column of wanted) {
    if (fitting.length >= 2 && used + column.width + 1 > width) break
    fitting.push(column)
    used += column.width + 1
  }
  return fitting
}

/** The head and the rows; the first column is as wide as the rest allows. */
export function drawColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  { ascii, ellipsis }: Glyphs,
): { readonly head: Line; readonly rows: readonly Line[] } {
  // The cursor, and a space behind each column.
  const fixed = columns.slice(1).reduce((sum, column) => sum + column.width + 1, 3)
  const most = Math.max(...rows.map((row) => widthOfCell(columns[0]?.cell(row))), 0)
  const widths = columns.map(({ width: own }, at) =>
    at === 0 ? Math.max(4, Math.min(Math.max(own, most), width - fixed)) : own,
  )
  const place = (text: string, at: number, column: Column<Row>): string => {
    const cells = widths[at] ?? 0
    const cut = column.isId === true ? cutMiddle(text, cells, ellipsis) : text
    return column.align === 'left' ? padEnd(cut, cells, ellipsis) : padStart(cut, cells, ellipsis)
  }
  const head = columns.map((column, at) => piece(`${place(column.title, at, column)} `, 'dim'))
  const drawn = rows.map((row) =>
    columns.map((column, at): Piece => {
      const cell = column.cell(row)
      const { text, meaning } = typeof cell === 'string' ? plain(cell) : cell
      return piece(`${place(cleanText(text, ascii), at, column)} `, meaning)
    }),
  )
  return { head: [plain('  '), ...head], rows: drawn }
}

function widthOfCell(cell: string | Piece | undefined): number {
  return cell === undefined ? 0 : widthOf(typeof cell === 'string' ? cell : cell.text)
}

/** Which rows are seen; the selected one is always among them. Corrects the list's `top` and `seen`. */
export function seenRange(
  list: ListState,
  ids: readonly string[],
  height: number,
): { readonly at: number; readonly top: number } {
  const at = Math.max(0, list.selected === undefined ? 0 : ids.indexOf(list.selected))
  const most = Math.max(0, ids.length - height)
  let top = Math.min(list.top, most)
  if (at < top) top = at
  if (at >= top + height) top = at - height + 1
  list.top = Math.max(0, top)
  list.seen = Math.max(0, Math.min(height, ids.length - list.top))
  return { at, top: list.top }
}

/** The row with its cursor. */
export function selectable(row: Line, isSelected: boolean): Line {
  return isSelected ? [piece(`> ${textOf(row)}`, 'selected')] : [plain('  '), ...row]
}

/** Rows by the words of a filter: a regular expression, `!` negates, `state:x` compares the state. */
export function filterRows<Row>(
  rows: readonly Row[],
  filter: string,
  read: (row: Row) => { state: string; text: string },
): readonly Row[] {
  let kept = rows
  for (const word of filter.split(' ').filter((each) => each !== '')) {
    const isNegated = word.startsWith('!')
    const wanted = isNegated ? word.slice(1) : word
    const test = wanted.startsWith('state:') ? stateTest(wanted.slice('state:'.length)) : textTest(wanted)
    kept = kept.filter((row) => {
      const { state, text } = read(row)
      return test(state, text) !== isNegated
    })
  }
  return kept
}

function stateTest(wanted: string): (state: string, text: string) => boolean {
  return (state) =>
    state
      .toLowerCase()
      .split(' ')
      .some((word) => word.startsWith(wanted.toLowerCase()))
}

function textTest(wanted: string): (state: string, text: string) => boolean {
  try {
    const pattern = new RegExp(wanted, 'iu')
    return (_, text) => pattern.test(text)
  } catch {
    return (_, text) => text.toLowerCase().includes(wanted.toLowerCase())
  }
}

/** By a column; equal rows stay in their order. */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { sort, isReversed }: ListState,
): readonly Row[] {
  const sortable = columns.filter((column) => column.sort !== undefined)
  const column = sort === 0 ? undefined : sortable[(sort - 1) % sortable.length]
  if (column === undefined) return isReversed ? rows.toReversed() : rows
  const sign = isReversed ? -1 : 1
  return rows.toSorted((a, b) => {
    const [left, right] = [column.sort?.(a) ?? 0, column.sort?.(b) ?? 0]
    const order =
      typeof left === 'string' ? (left < String(right) ? -1 : Number(left > String(right))) : Number(right) - left
    return sign * order
  })
}

/** The columns of the menu of `s`. */
export function sortableTitles<Row>(columns: readonly Column<Row>[]): readonly string[] {
  return columns.flatMap(({ title, sort }) => (sort === undefined ? [] : [title.trim()]))
}

/** The title of the column that sorts; empty for the natural order. */
export function sortTitle<Row>(columns: readonly Column<Row>[], { sort, isReversed }: ListState): string {
  const sortable = columns.filter((column) => column.sort !== undefined)
  const title = sort === 0 ? '' : (sortable[(sort - 1) % sortable.length]?.title ?? '')
  return title === '' ? '' : `sort ${title.trim()}${isReversed ? ' reversed' : ''}`
}

export function stateWord(state: string): Piece {
  const words: Readonly<Record<string, readonly [string, Meaning]>> = {
    ready: ['UP', 'ok'],
    idle: ['IDLE', 'dim'],
    degraded: ['WARN !', 'warn'],
    waiting: ['WAIT !', 'warn'],
    opening: ['OPEN', 'warn'],
    failed: ['FAIL !', 'bad'],
    ended: ['END', 'dim'],
    stopped: ['STOP', 'dim'],
  }
  const [text, meaning] = words[state] ?? [state.toUpperCase(), 'plain']
  return piece(cleanText(text, true), meaning)
}
