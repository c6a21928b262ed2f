// A rate over the last minute in one row of cells, scaled by its own maximum.

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const ASCII_BARS = ['.', ':', '-', '=', '+', '*', '#', '#'] as const

/** The newest sample is at the right; several samples share a cell as their mean; cells without samples are empty. */
export function sparkline(samples: readonly number[], width: number, ascii: boolean): string {
  const bars = ascii ? ASCII_BARS : BLOCKS
  const perCell = Math.max(1, Math.ceil(60 / Math.max(1, width)))
  const most = Math.max(...samples, 0)
  let text = ''
  for (let cell = width - 1; cell >= 0; cell--) {
    const end = samples.length - cell * perCell
    const part = samples.slice(Math.max(0, end - perCell), Math.max(0, end))
    if (part.length === 0) {
      text += ' '
      continue
    }
    const mean = part.reduce((sum, each) => sum + each, 0) / part.length
    const level = most <= 0 ? 0 : Math.min(bars.length - 1, Math.floor((mean / most) * bars.length))
    text += mean <= 0 ? (ascii ? '_' : '▁') : bars[level]
  }
  return text
}
