// Segments lie on a disk in folders of ten minutes, named by the UTC time at which they begin, each with an index of its
// own: old ones are removed as a whole, and a time is found without reading all.

const PERIOD_MS = 600_000
const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)$/
/** In each folder. */
export const INDEX_FILE = 'segments.index'

/** The folder of what begins at this Unix time, milliseconds. */
export function periodOf(dateMs: number): string {
  const from = new Date(Math.floor(dateMs / PERIOD_MS) * PERIOD_MS).toISOString()
  return `${from.slice(0, 4)}${from.slice(5, 7)}${from.slice(8, 13)}${from.slice(14, 16)}`
}

/** For times that mostly are in the same period as the one before. */
export class PeriodNames {
  #fromMs = NaN
  #name = ''

  of(dateMs: number): string {
    if (dateMs >= this.#fromMs && dateMs < this.#fromMs + PERIOD_MS) return this.#name
    this.#fromMs = Math.floor(dateMs / PERIOD_MS) * PERIOD_MS
    this.#name = periodOf(dateMs)
    return this.#name
  }
}

/** Unix times in milliseconds; undefined for another name. */
export function timesOf(period: string): { readonly fromMs: number; readonly toMs: number } | undefined {
  const [, year, month, day, hour, minute] = NAME.exec(period) ?? []
  const fromMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`)
  return Number.isNaN(fromMs) || periodOf(fromMs) !== period ? undefined : { fromMs, toMs: fromMs + PERIOD_MS }
}
