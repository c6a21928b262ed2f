// What a terminal can show, from the environment: nothing is forced on a terminal that says otherwise.

export interface Abilities {
  readonly ascii: boolean
  /** 0, 8, 16 or 256. */
  readonly colours: number
  /** The terminfo entry whose sequences are used. */
  readonly terminfo: 'xterm' | 'xterm-256color'
  /** How long a lone Esc waits for the rest of a sequence: a slow link splits sequences. */
  readonly escapeMs: number
  /** For the help: what was decided, and why. */
  readonly notes: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

const ESCAPE_MS = 50
const SLOW_ESCAPE_MS = 150
/** Terminals with 16 colours or fewer; vt100 and its kin have none. */
const FEW_COLOURS = /^(linux|screen|xterm|rxvt|putty|cygwin|ansi)$/
const NO_COLOURS = /^(vt\d+|dumb)/
const KNOWN = /^(xterm|screen|tmux|rxvt|linux|vt\d+|putty|cygwin|ansi|alacritty|foot|konsole|gnome|st|wezterm|iterm)/

export function readAbilities(env: Environment, wantsAscii: boolean): Abilities {
  const term = env['TERM'] ?? ''
  const notes: string[] = []
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  const hasUtf8 = /utf-?8/i.test(locale)
  if (!hasUtf8) notes.push(`ASCII only: the locale "${locale}" is not UTF-8`)
  else if (wantsAscii) notes.push('ASCII only: --ascii')
  if (!KNOWN.test(term)) notes.push(`TERM "${term}" is unknown: treated as xterm`)
  const colours = coloursOf(env, term)
  notes.push(env['NO_COLOR'] ? 'no colours: NO_COLOR is set' : `${colours} colours: TERM is "${term}"`)
  const isRemote = Boolean(env['SSH_CONNECTION'] || env['SSH_TTY'])
  const escapeMs = isRemote ? SLOW_ESCAPE_MS : ESCAPE_MS
  if (isRemote) notes.push(`Esc waits ${escapeMs} ms: the terminal is at the end of an SSH connection`)
  return {
    ...{ ascii: wantsAscii || !hasUtf8, colours, escapeMs, notes },
    terminfo: colours >= 256 ? 'xterm-256color' : 'xterm',
  }
}

/** Whether a picture can be drawn at all. */
export function canDraw(env: Environment, isTerminal: boolean): boolean {
  return isTerminal && env['TERM'] !== 'dumb'
}

function coloursOf(env: Environment, term: string): number {
  if (env['NO_COLOR']) return 0
  if (
    env['COLORTERM'] === 'truecolor' ||
    env['COLORTERM'] === '24bit' ||
    /256|direct|kitty|ghostty|alacritty|foot/.test(term)
  )
    return 256
  if (NO_COLOURS.test(term)) return 0
  return FEW_COLOURS.test(term) ? 8 : 16
}
