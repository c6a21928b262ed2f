// Colours, if the stream is a terminal that shows them and NO_COLOR is not set (https://no-color.org), or if they are
// asked for.
import { styleText } from 'node:util'
import type { TextStream } from './cli-streams.js'

export type Paint = (text: string) => string

export interface TerminalStyle {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

/** FORCE_COLOR shows colours elsewhere than on a terminal too (https://force-color.org); NO_COLOR wins. */
export function isColoured(stream: TextStream, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR'] ?? ''
  if (forced !== '') return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

export function styleFor(stream: TextStream, env: Readonly<Record<string, string | undefined>>): TerminalStyle {
  const coloured = isColoured(stream, env)
  // By default Node decides by stdout, and `stream` may be another one.
  const paint = (format: keyof TerminalStyle): Paint =>
    coloured ? (text) => styleText(format, text, { validateStream: false }) : (text) => text
  return {
    ...{ bold: paint('bold'), dim: paint('dim'), red: paint('red') },
    ...{ green: paint('green'), yellow: paint('yellow'), cyan: paint('cyan') },
  }
}
