// Colours, if the stream is a terminal that shows them and NO_COLOR is not set (https://no-color.org).
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

const RESET = '\u001b[0m'

export function styleFor(stream: TextStream, env: Readonly<Record<string, string | undefined>>): TerminalStyle {
  const noColour = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  const coloured = stream.isTTY === true && !noColour && env['TERM'] !== 'dumb'
  const sgr = (code: number): Paint => (coloured ? (text) => `\u001b[${code}m${text}${RESET}` : (text) => text)
  return { bold: sgr(1), dim: sgr(2), red: sgr(31), green: sgr(32), yellow: sgr(33), cyan: sgr(36) }
}
