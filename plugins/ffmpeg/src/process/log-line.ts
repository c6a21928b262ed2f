// A line that ffmpeg writes with `-loglevel level+...`: `[h264 @ 0x55d0c0] [warning] text`. The level is in brackets, after
// those who say it; addresses tell nobody anything.
import type { LineLevel } from '@millrace/engine/plugin'

const LEVELS: Readonly<Record<string, LineLevel>> = {
  quiet: 'none',
  panic: 'error',
  fatal: 'error',
  error: 'error',
  warning: 'warn',
  info: 'info',
  verbose: 'debug',
  debug: 'debug',
  trace: 'none',
}

const ADDRESS = / @ 0x[0-9a-f]+\]/g
const LEVEL = /^((?:\[[^\]]*\] )*?)\[(quiet|panic|fatal|error|warning|info|verbose|debug|trace)\] ?/

/** Level and text for the log. A line without level is what a wrapper or a library has written. */
export function readLogLine(line: string): { readonly level: LineLevel; readonly text: string } {
  const short = line.replaceAll(ADDRESS, ']')
  const found = LEVEL.exec(short)
  if (found === null) return { level: 'info', text: short }
  const [whole, who = '', name = ''] = found
  return { level: LEVELS[name] ?? 'info', text: `${who}${short.slice(whole.length)}` }
}
