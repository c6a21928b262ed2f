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
  full: 'debug',
}

const ADDRESS = / @ 0x[0-9a-f]+\]/g
/** What libx264 and libx265 write around FFmpeg: `x264 [error]: text`. */
const LIBRARY = /^(x26[45]) \[(error|warning|info|debug|full)\]: /
const LEVEL = /^((?:\[[^\]]*\] )*?)\[(quiet|panic|fatal|error|warning|info|verbose|debug|trace)\] ?/

/** What is said without the addresses of those who say it. */
export function withoutAddresses(text: string): string {
  return text.replaceAll(ADDRESS, ']')
}

/** Level and text for the log. A line without level is what a wrapper or a library has written. */
export function readLogLine(line: string): { readonly level: LineLevel; readonly text: string } {
  const [lead = '', library, said = ''] = LIBRARY.exec(line) ?? []
  if (library !== undefined) return { level: LEVELS[said] ?? 'info', text: `[${library}] ${line.slice(lead.length)}` }
  const short = withoutAddresses(line)
  const found = LEVEL.exec(short)
  if (found === null) return { level: 'info', text: short }
  const [whole, who = '', name = ''] = found
  return { level: LEVELS[name] ?? 'info', text: `${who}${short.slice(whole.length)}` }
}
