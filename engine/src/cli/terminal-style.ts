// Colours, if the stream is a terminal that shows them and NO_COLOR is not set (https://no-color.org).
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

export function styleFor(stream: TextStream, env: Readonly<Record<string, string | undefined>>): TerminalStyle {
  const noColour = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  const coloured = stream.isTTY === true && !noColour && env['TERM'] !== 'dumb'
  // By default Node decides by stdout, and `stream` may be another one.
  const paint = (format: keyof TerminalStyle): Paint =>
    coloured ? (text) => styleText(format, text, { validateStream: false }) : (text) => text
  return {
    ...{ bold: paint('bold'), dim: paint('dim'), red: paint('red') },
    ...{ green: paint('green'), yellow: paint('yellow'), cyan: paint('cyan') },
  }
}
