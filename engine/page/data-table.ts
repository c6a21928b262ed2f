// A table whose rows are updated in place, sorted by a press on a heading, with a filter and a limit of what is drawn.
import { element, KeyedChildren, setAttributes, setText } from './dom.js'
import { Sparkline } from './sparkline.js'
import { type StateText, StateWord, type Tone } from './state-word.js'

export interface Column<Row> {
  readonly title: string
  /** Only where there is room. */
  readonly isWide?: boolean
  readonly isNumber?: boolean
  cell(row: Row): Cell
  sort?(row: Row): number | string
}

export type Cell =
  | string
  | {
      readonly text: string
      readonly tone?: Tone | undefined
      readonly href?: string | undefined
      readonly more?: string
    }
  | { readonly state: StateText }
  | { readonly samples: readonly number[] }
  | { readonly button: string; readonly label: string; press(): void }

interface TableSettings<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly empty: string
  keyOf(row: Row): string
  /** The text that a filter is compared with. By default there is no filter. */
  filterText?(row: Row): string
}

/** Rows that are drawn; a button draws as many more. */
const PAGE_ROWS = 100
const FILTER_FROM = 8

export class DataTable<Row> {
  readonly element: HTMLElement
  readonly #settings: TableSettings<Row>
  readonly #rows: KeyedChildren<Row>
  readonly #heads: readonly HTMLElement[]
  readonly #table: HTMLElement
  readonly #empty: HTMLElement
  readonly #more: HTMLButtonElement
  readonly #filter = element('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' })
  readonly #filterLabel = element('label', { class: 'filter' }, 'Filter ', this.#filter)
  #sorted: { readonly at: number; readonly isDown: boolean } | undefined
  #most = PAGE_ROWS
  #shown: readonly Row[] = []

  constructor(settings: TableSettings<Row>) {
    const { caption, columns, empty, keyOf } = settings
    this.#settings = settings
    this.#heads = columns.map((column, at) => this.#makeHead(column, at))
    const body = element('tbody')
    this.#rows = new KeyedChildren(body, keyOf, () => makeRow(columns))
    this.#empty = element('p', { class: 'quiet' }, empty)
    this.#more = element('button', { type: 'button', class: 'plain', hidden: true })
    this.#more.addEventListener('click', () => {
      this.#most += PAGE_ROWS
      this.show(this.#shown)
    })
    this.#filter.addEventListener('input', () => this.show(this.#shown))
    this.#table = element(
      'table',
      {},
      element('caption', { class: 'unseen' }, caption),
      element('thead', {}, element('tr', {}, ...this.#heads)),
      body,
    )
    const scroll = element('div', { class: 'scroll' }, this.#table)
    this.element = element('div', { class: 'table' }, this.#filterLabel, scroll, this.#empty, this.#more)
  }

  show(rows: readonly Row[]): void {
    this.#shown = rows
    const { filterText, empty } = this.#settings
    const wanted = this.#filter.value.toLowerCase()
    const found =
      filterText === undefined || wanted === ''
        ? rows
        : rows.filter((row) => filterText(row).toLowerCase().includes(wanted))
    const sorted = this.#sort(found)
    this.#rows.show(sorted.slice(0, this.#most))
    this.#filterLabel.hidden = filterText === undefined || (rows.length < FILTER_FROM && wanted === '')
    setText(this.#empty, rows.length > 0 ? 'Nothing fits the filter.' : empty)
    this.#empty.hidden = sorted.length > 0
    this.#table.hidden = sorted.length === 0
    const left = sorted.length - this.#most
    this.#more.hidden = left <= 0
    setText(this.#more, `Show ${Math.min(left, PAGE_ROWS)} more of ${left}`)
  }

  #makeHead(column: Column<Row>, at: number): HTMLElement {
    const attributes = { scope: 'col', class: classOf(column) }
    if (column.sort === undefined) return element('th', attributes, column.title)
    const button = element('button', { type: 'button', class: 'sort' }, column.title)
    button.addEventListener('click', () => {
      const isSame = this.#sorted?.at === at
      this.#sorted = { at, isDown: isSame ? this.#sorted?.isDown !== true : column.isNumber === true }
      this.show(this.#shown)
    })
    return element('th', attributes, button)
  }

  #sort(rows: readonly Row[]): readonly Row[] {
    const sorted = this.#sorted
    for (const [at, head] of this.#heads.entries()) {
      const order = sorted?.at === at ? (sorted.isDown ? 'descending' : 'ascending') : undefined
      setAttributes(head, { 'aria-sort': order })
    }
    const valueOf = sorted === undefined ? undefined : this.#settings.columns[sorted.at]?.sort
    if (sorted === undefined || valueOf === undefined) return rows
    const order = sorted.isDown ? -1 : 1
    return rows
      .map((row) => ({ row, value: valueOf(row) }))
      .sort((a, b) => (a.value < b.value ? -order : a.value > b.value ? order : 0))
      .map(({ row }) => row)
  }
}

function classOf<Row>({ isWide = false, isNumber = false }: Column<Row>): string | undefined {
  const classes = [...(isWide ? ['wide'] : []), ...(isNumber ? ['number'] : [])]
  return classes.length === 0 ? undefined : classes.join(' ')
}

function makeRow<Row>(columns: readonly Column<Row>[]): { element: Element; update(row: Row): void } {
  const cells = columns.map((column, at) => {
    const cell = element(at === 0 ? 'th' : 'td', { class: classOf(column), scope: at === 0 ? 'row' : undefined })
    return { column, drawn: new DrawnCell(cell) }
  })
  return {
    element: element('tr', {}, ...cells.map(({ drawn }) => drawn.element)),
    update(row) {
      for (const { column, drawn } of cells) drawn.update(column.cell(row))
    },
  }
}

/** Keeps what it has drawn for as long as the cell is of the same kind. */
class DrawnCell {
  readonly element: HTMLElement
  #kind = ''
  #update: (cell: Cell) => void = () => undefined

  constructor(cell: HTMLElement) {
    this.element = cell
  }

  update(cell: Cell): void {
    const kind = kindOf(cell)
    if (kind !== this.#kind) {
      const { inside, update } = drawCell(cell)
      this.element.replaceChildren(inside)
      this.#kind = kind
      this.#update = update
    }
    this.#update(cell)
  }
}

function kindOf(cell: Cell): string {
  if (typeof cell === 'string') return 'text'
  if ('text' in cell) return cell.href === undefined ? 'toned' : 'link'
  return Object.keys(cell)[0] ?? ''
}

function drawCell(first: Cell): { readonly inside: Node; update(cell: Cell): void } {
  if (typeof first === 'string') {
    const inside = document.createTextNode('')
    return { inside, update: (cell) => typeof cell === 'string' && setText(inside, cell) }
  }
  if ('state' in first) {
    const word = new StateWord()
    return {
      inside: word.element,
      update: (cell) => typeof cell === 'object' && 'state' in cell && word.update(cell.state),
    }
  }
  if ('samples' in first) {
    const spark = new Sparkline()
    return {
      inside: spark.element,
      update: (cell) => typeof cell === 'object' && 'samples' in cell && spark.update(cell.samples),
    }
  }
  return 'button' in first ? drawButton(first) : drawText(first.href !== undefined)
}

function drawButton(first: Extract<Cell, { readonly button: string }>): ReturnType<typeof drawCell> {
  let current = first
  const inside = element('button', { type: 'button', class: 'plain small' })
  inside.addEventListener('click', () => current.press())
  return {
    inside,
    update(cell) {
      if (typeof cell !== 'object' || !('button' in cell)) return
      current = cell
      setText(inside, cell.button)
      setAttributes(inside, { 'aria-label': cell.label })
    },
  }
}

function drawText(isLink: boolean): ReturnType<typeof drawCell> {
  const text = element(isLink ? 'a' : 'span')
  const more = element('small', { class: 'quiet' })
  const inside = element('span', {}, text, more)
  return {
    inside,
    update(cell) {
      if (typeof cell !== 'object' || !('text' in cell)) return
      setText(text, cell.text)
      setText(more, cell.more ?? '')
      more.hidden = cell.more === undefined
      setAttributes(text, { href: cell.href, 'data-tone': cell.tone })
    },
  }
}
