// What commands say on stderr, as its user reads it: the colours, and the name of the program. The same for every command,
// in one place.
import type { CliStreams } from './cli-streams.js'
import { commandName, withCommandName } from './command-name.js'
import { isColoured, styleFor, type TerminalStyle } from './terminal-style.js'

/** The streams of a command, whose stderr paints errors and warnings where colours are shown, and names the program. */
export function paintedStreams(streams: CliStreams): CliStreams {
  const { err, env } = streams
  const isPainted = isColoured(err, env)
  if (!isPainted && commandName(env) === 'engine') return streams
  const style = styleFor(err, env)
  const write = (text: string): unknown => {
    const named = withCommandName(text, env)
    return err.write(isPainted ? paintReport(named, style) : named)
  }
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
