// A grid of characters in which lines meet: each cell keeps the directions of its lines, and is rendered as the one
// character that shows all of them.

const NORTH = 1
const EAST = 2
const SOUTH = 4
const WEST = 8

/** By the sum of the directions. */
const LINES = ' ╵╶└╷│┌├╴┘─┴┐┤┬┼'
const PLAIN: Readonly<Record<string, string>> = { '│': '|', '─': '-', '▶': '>', '╴': '-', '╶': '-', '╷': '|', '╵': '|' }

export class LineGrid {
  readonly #directions = new Map<string, number>()
  readonly #texts = new Map<string, string>()
  #width = 0
  #height = 0

  /** A line from one column to another, both included. */
  horizontal(row: number, from: number, to: number): void {
    for (let column = from; column <= to; column++) {
      this.#add(column, row, (column > from ? WEST : 0) + (column < to ? EAST : 0))
    }
  }

  /** A line from one row to another, both included, in either order. */
  vertical(column: number, a: number, b: number): void {
    const [from, to] = a < b ? [a, b] : [b, a]
    for (let row = from; row <= to; row++) {
      this.#add(column, row, (row > from ? NORTH : 0) + (row < to ? SOUTH : 0))
    }
  }

  /** Covers lines in the same cells. */
  text(column: number, row: number, text: string): void {
    Array.from(text).forEach((char, index) => {
      this.#texts.set(`${column + index},${row}`, char)
      this.#grow(column + index, row)
    })
  }

  /** Lines without trailing spaces; with `plain`, in ASCII only. */
  render(plain: boolean): readonly string[] {
    return Array.from({ length: this.#height }, (_, row) => {
      const cells = Array.from({ length: this.#width }, (_unused, column) => this.#cell(column, row))
      const line = cells.join('').trimEnd()
      return plain ? line.replaceAll(/[│─▶╴╶╷╵]/g, (char) => PLAIN[char] ?? char).replaceAll(/[┌┐└┘├┤┬┴┼]/g, '+') : line
    })
  }

  #cell(column: number, row: number): string {
    const key = `${column},${row}`
    return this.#texts.get(key) ?? LINES[this.#directions.get(key) ?? 0] ?? ' '
  }

  #add(column: number, row: number, directions: number): void {
    const key = `${column},${row}`
    this.#directions.set(key, (this.#directions.get(key) ?? 0) | directions)
    this.#grow(column, row)
  }

  #grow(column: number, row: number): void {
    this.#width = Math.max(this.#width, column + 1)
    this.#height = Math.max(this.#height, row + 1)
  }
}
