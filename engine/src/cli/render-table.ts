// Rows rendered as a table: all cells of a column have the same width.
import type { Paint } from './terminal-style.js'

export interface Cell {
  readonly text: string
  /** Applied after the width is known; by default none. */
  readonly paint?: Paint
}

/** Lines without trailing spaces; rows may have different numbers of cells. */
export function renderTable(rows: readonly (readonly Cell[])[], indent = ''): readonly string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.text.length)))
  }
  return rows.map((row) => {
    const used = row.findLastIndex((cell) => cell.text !== '')
    const cells = row.slice(0, used + 1).map((cell, column) => {
      const padding = column === used ? '' : ' '.repeat((widths[column] ?? 0) - cell.text.length)
      return (cell.paint?.(cell.text) ?? cell.text) + padding
    })
    return indent + cells.join('  ')
  })
}
