// The terminal: blessed keeps what is on it, and writes only the cells that change. Keys are read here, since blessed
// takes a sequence that a slow link has split for Esc and letters.
import { PassThrough } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import blessed, { type Box, type Screen } from 'blessed'
import { paintLine, themeCodes, type ThemeName } from '../draw/theme.js'
import type { Line } from '../draw/line.js'
import { type InputEvent, KeyReader } from '../input/key-reader.js'
import type { Abilities } from './abilities.js'
import { FrameOutput, type TerminalOutput } from './frame-output.js'

interface TerminalInput extends NodeJS.EventEmitter {
  setRawMode?(isRaw: boolean): unknown
  resume(): unknown
  pause(): unknown
}

export interface TerminalSettings {
  readonly input: TerminalInput
  readonly output: TerminalOutput
  readonly abilities: Abilities
  readonly theme: ThemeName
  readonly hasMouse: boolean
  onInput(event: InputEvent): void
  onResize(): void
  /** The terminal is gone: nothing may be written any more. */
  onGone(): void
}

/** Bracketed paste (xterm), so that pasted text is known as such. */
const PASTE_ON = '\u001B[?2004h'
const PASTE_OFF = '\u001B[?2004l'
/** Clicks and wheel, as SGR reports. */
const MOUSE_ON = '\u001B[?1000h\u001B[?1006h'
const MOUSE_OFF = '\u001B[?1006l\u001B[?1000l'
const RESIZE_MS = 50

export class BlessedTerminal implements Disposable {
  readonly #settings: TerminalSettings
  readonly #frames: FrameOutput
  readonly #screen: Screen
  readonly #box: Box
  readonly #reader: KeyReader
  readonly #decoder = new StringDecoder('utf8')
  readonly #codes: ReturnType<typeof themeCodes>
  #deadline: NodeJS.Timeout | undefined
  #isOpen = true

  constructor(settings: TerminalSettings) {
    const { input, output, abilities, theme } = settings
    // Real box characters instead of the alternate character set.
    process.env['NCURSES_NO_UTF8_ACS'] = '1'
    this.#settings = settings
    unblock(output)
    this.#frames = new FrameOutput(output)
    this.#reader = new KeyReader(abilities.escapeMs)
    this.#codes = themeCodes(theme, abilities.colours)
    this.#screen = blessed.screen({
      ...{ input: new PassThrough(), output: this.#frames, terminal: abilities.terminfo },
      ...{
        fullUnicode: !abilities.ascii,
        smartCSR: false,
        autoPadding: false,
        warnings: false,
        resizeTimeout: RESIZE_MS,
      },
    })
    const render = this.#screen.render.bind(this.#screen)
    // blessed draws by itself at each new size, too.
    this.#screen.render = () => {
      if (this.#frames.isFree) render()
    }
    this.#screen.program.hideCursor()
    this.#box = blessed.box({
      parent: this.#screen,
      top: 0,
      left: 0,
      width: '100%',
      height: '100%',
      tags: false,
      wrap: false,
    })
    this.#screen.on('resize', () => settings.onResize())
    input.setRawMode?.(true)
    input.on('data', this.#read)
    input.on('end', this.#gone)
    input.on('error', this.#gone)
    output.on('error', this.#gone)
    input.resume()
    this.#switchModes(true)
  }

  get columns(): number {
    return this.#frames.columns
  }

  get rows(): number {
    return this.#frames.rows
  }

  /** Whether the terminal has taken the picture before; a picture is skipped until it has. */
  get isFree(): boolean {
    return this.#frames.isFree
  }

  draw(lines: readonly Line[]): void {
    if (!this.#isOpen || !this.#frames.isFree) return
    this.#box.setContent(lines.map((line) => paintLine(line, this.#codes)).join('\n'))
    this.#screen.render()
  }

  /** Sets all modes again, and draws every cell at the next `draw`: something else has written to the terminal. */
  redraw(): void {
    this.#screen.program.alternateBuffer()
    this.#screen.program.hideCursor()
    this.#switchModes(true)
    this.#screen.program.clear()
    this.#screen.realloc()
  }

  /** To the clipboard of whoever sits at the terminal (OSC 52); terminals may refuse it. */
  copy(text: string): void {
    this.#frames.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`)
  }

  /** Gives the terminal back until `resume`. */
  suspend(): void {
    this.#switchModes(false)
    this.#screen.leave()
    this.#screen.program.flush()
    this.#settings.input.setRawMode?.(false)
  }

  resume(): void {
    this.#settings.input.setRawMode?.(true)
    this.#settings.input.resume()
    this.#screen.enter()
    this.redraw()
  }

  /** The terminal is gone: nothing more is written to it. */
  abandon(): void {
    this.#frames.shut()
    this.#close()
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return
    this.#switchModes(false)
    this.#screen.destroy()
    this.#screen.program.flush()
    this.#settings.input.setRawMode?.(false)
    this.#close()
  }

  #close(): void {
    this.#isOpen = false
    clearTimeout(this.#deadline)
    const { input } = this.#settings
    input.removeListener('data', this.#read)
    input.pause()
  }

  #switchModes(on: boolean): void {
    this.#frames.write(on ? PASTE_ON : PASTE_OFF)
    if (this.#settings.hasMouse) this.#frames.write(on ? MOUSE_ON : MOUSE_OFF)
  }

  readonly #read = (bytes: Buffer): void => {
    this.#pass(this.#reader.push(this.#decoder.write(bytes), performance.now()))
    this.#setDeadline()
  }

  #setDeadline(): void {
    clearTimeout(this.#deadline)
    const { deadlineMs } = this.#reader
    if (deadlineMs === undefined) return
    const waitMs = Math.max(1, deadlineMs - performance.now())
    this.#deadline = setTimeout(() => {
      this.#pass(this.#reader.flush(performance.now()))
      this.#setDeadline()
    }, waitMs)
  }

  #pass(events: readonly InputEvent[]): void {
    for (const event of events) this.#settings.onInput(event)
  }

  readonly #gone = (): void => this.#settings.onGone()
}

/**
 * Node writes to terminals in blocking mode, so one that stalls (Ctrl-S, a frozen connection) would stop this process.
 * Node documents no other way to set it.
 */
function unblock(output: object): void {
  const { _handle: handle } = output as { _handle?: { setBlocking?(isBlocking: boolean): unknown } }
  handle?.setBlocking?.(false)
}
