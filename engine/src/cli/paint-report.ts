// Colours of what commands say on stderr: the same for every command, in one place.
import type { CliStreams } from './cli-streams.js'
import { isColoured, styleFor, type TerminalStyle } from './terminal-style.js'

/** The streams of a command, whose stderr paints errors and warnings where colours are shown. */
export function paintedStreams(streams: CliStreams): CliStreams {
  const { err, env } = streams
  if (!isColoured(err, env)) return streams
  const style = styleFor(err, env)
  const write = (text: string): unknown => err.write(paintReport(text, style))
  return { ...streams, err: err.isTTY === undefined ? { write } : { write, isTTY: err.isTTY } }
}

/** The first word of a mistake, its place, and the carets below what is wrong. */
function paintReport(text: string, style: TerminalStyle): string {
  return text
    .replace(/^error(?:\[\w+\])?:/gm, style.red)
    .replace(/^warning(?:\[\w+\])?:/gm, style.yellow)
    .replace(/^ *--> .*$/gm, style.dim)
    .replace(/^ *= (?:help|note):/gm, style.cyan)
    .replace(/^( *\| +)(\^+)$/gm, (_, before: string, carets: string) => before + style.red(carets))
}
