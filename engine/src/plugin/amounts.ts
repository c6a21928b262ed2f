// Amounts with a unit, as people write them in YAML: `500ms`, `64KiB`, `4Mb/s`, `20/s`. Text to number and back.

export type Units = Readonly<Record<string, number>>

/** To milliseconds. */
export const DURATION_UNITS: Units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** To bytes. */
export const SIZE_UNITS: Units = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }
/** To bits per second. */
export const RATE_UNITS: Units = { 'b/s': 1, 'kb/s': 1000, 'Mb/s': 1e6, 'Gb/s': 1e9 }
/** To events per second. */
export const EVENT_RATE_UNITS: Units = { '/s': 1, '/m': 1 / 60, '/h': 1 / 3600 }

/** No amount needs more characters. */
const LONGEST_TEXT = 32
const FORM = /^(\d+(?:\.\d+)?)(\D*)$/

/** The number that the text stands for; undefined if it is not a number followed by one of the units. */
export function parseAmount(text: string, units: Units): number | undefined {
  const match = text.length > LONGEST_TEXT ? null : FORM.exec(text)
  const [, digits = '', unit = ''] = match ?? []
  if (match === null || !Object.hasOwn(units, unit)) return undefined
  const factor = units[unit] ?? Number.NaN
  const value = Number(digits) * factor
  // 1.1m is 66000.00000000001 in binary floating point; the whole number next to it is meant.
  const whole = Math.round(value)
  return factor >= 1 && Math.abs(value - whole) < 1e-6 * factor ? whole : value
}

/** The shortest text of a number: the largest unit that leaves no fraction. */
export function renderAmount(value: number, units: Units): string {
  const bySize = Object.entries(units).sort(([, a], [, b]) => b - a)
  for (const [unit, factor] of bySize) {
    if (factor <= value && value % factor === 0) return `${value / factor}${unit}`
  }
  const base = Object.entries(units).find(([, factor]) => factor === 1)
  return `${value}${base?.[0] ?? ''}`
}
