// From meanings to attributes of the terminal (ECMA-48 SGR). Three meanings have colours, and each has a word or a mark
// on the screen as well, so nothing depends on colour.
import type { Line, Meaning } from './line.js'

export const THEMES = ['deuter', 'dark', 'light', 'mono'] as const
export type ThemeName = (typeof THEMES)[number]

type Codes = Readonly<Record<Meaning, string>>

const MONO: Codes = { plain: '', dim: '', strong: '1', ok: '', warn: '1', bad: '1;7', selected: '7' }

/** Orange and blue: red-green blindness keeps them apart. */
const COLOURS: Readonly<Record<Exclude<ThemeName, 'mono'>, readonly [few: Partial<Codes>, many: Partial<Codes>]>> = {
  deuter: [
    { dim: '90', ok: '36', warn: '33', bad: '1;34' },
    { dim: '38;5;244', ok: '38;5;110', warn: '38;5;214', bad: '1;38;5;208' },
  ],
  dark: [
    { dim: '90', ok: '32', warn: '33', bad: '1;31' },
    { dim: '38;5;244', ok: '38;5;114', warn: '38;5;220', bad: '1;38;5;203' },
  ],
  light: [
    { dim: '90', ok: '32', warn: '35', bad: '1;31' },
    { dim: '38;5;240', ok: '38;5;28', warn: '38;5;130', bad: '1;38;5;160' },
  ],
}

/** `colours`: 0, 8, 16 or 256. */
export function themeCodes(name: ThemeName, colours: number): Codes {
  if (colours < 8 || name === 'mono') return MONO
  const [few, many] = COLOURS[name]
  const codes = { ...MONO, ...(colours >= 256 ? many : few) }
  // 8 colours have no bright black.
  return colours < 16 ? { ...codes, dim: '' } : codes
}

/** The row with its attributes; ends as it began. */
export function paintLine(line: Line, codes: Codes): string {
  let painted = ''
  for (const { text, meaning } of line) {
    const code = codes[meaning]
    painted += code === '' ? text : `\u001B[${code}m${text}\u001B[m`
  }
  return painted
}
