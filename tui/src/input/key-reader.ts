// From what a terminal sends to keys, pastes and mouse events. No I/O and no timers: text and time in, keys and the next
// deadline out. A slow link may split a sequence anywhere, and what is pasted is never taken for commands.

export type InputEvent =
  /** `name`: a character, or `up`, `enter`, `ctrl-c`, `f1` ... */
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'wheel'; readonly rows: number }
  | { readonly kind: 'click'; readonly x: number; readonly y: number }

const ESC = '\u001B'
const BEL = '\u0007'
const PASTE_START = `${ESC}[200~`
const PASTE_END = `${ESC}[201~`
const MOST_PASTED = 64 * 1024
const MOST_PENDING = 4096
/** The end of a paste that never comes. */
const PASTE_WAIT_MS = 1000
/** Nobody types more characters than this in one read: without brackets around it, that is a paste. */
const MOST_TYPED = 3

/** ECMA-48, 5.4: parameters, intermediates, final byte. */
const CSI = new RegExp(`^${ESC}\\[([0-?]*)([ -/]*)([@-~])`)
/** VT100 keypad and F1 to F4. */
const SS3 = new RegExp(`^${ESC}O([A-Za-z])`)
/** Replies of the terminal: OSC, DCS, APC, PM up to BEL or ST. */
const REPLY = new RegExp(`^${ESC}[\\]P_^X][^${BEL}${ESC}]*(${BEL}|${ESC}\\\\)`)
const UNFINISHED = new RegExp(`^${ESC}(\\[[0-?]*[ -/]*|O|[\\]P_^X][^${BEL}${ESC}]*${ESC}?)?$`)

const FINALS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'backtab',
  P: 'f1',
}
const TILDES: Readonly<Record<string, string>> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
}
const CONTROLS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u007F': 'backspace',
  '\b': 'backspace',
}

export class KeyReader {
  readonly #escapeMs: number
  #pending = ''
  #pendingSinceMs = 0
  /** What has come of a paste; undefined outside of one. */
  #pasted: string | undefined

  /** `escapeMs`: how long a lone Esc waits for the rest of a sequence. */
  constructor(escapeMs: number) {
    this.#escapeMs = escapeMs
  }

  /** When `flush` must be called; undefined if nothing waits. */
  get deadlineMs(): number | undefined {
    if (this.#pasted !== undefined) return this.#pendingSinceMs + PASTE_WAIT_MS
    return this.#pending === '' ? undefined : this.#pendingSinceMs + this.#escapeMs
  }

  /** The events in what was read at once. */
  push(text: string, nowMs: number): InputEvent[] {
    const events: InputEvent[] = []
    this.#pending += text
    this.#pendingSinceMs = nowMs
    while (this.#pending !== '') {
      if (this.#pasted !== undefined ? !this.#takePaste(events) : !this.#takeOne(events)) break
    }
    if (this.#pending.length > MOST_PENDING) this.#pending = ''
    return asPaste(events)
  }

  /** Called at the deadline: what is unfinished by then was Esc, or is a sequence that nobody knows. */
  flush(nowMs: number): InputEvent[] {
    const { deadlineMs } = this
    if (deadlineMs === undefined || nowMs < deadlineMs) return []
    const [pending, pasted] = [this.#pending, this.#pasted]
    this.#pending = ''
    this.#pasted = undefined
    if (pasted !== undefined) return [{ kind: 'paste', text: pasted + pending }]
    return pending === ESC ? [{ kind: 'key', name: 'escape' }] : []
  }

  #takePaste(events: InputEvent[]): boolean {
    const end = this.#pending.indexOf(PASTE_END)
    // The mark of the end may be split.
    const taken = end >= 0 ? end : this.#pending.length - partOf(this.#pending, PASTE_END)
    this.#pasted = ((this.#pasted ?? '') + this.#pending.slice(0, taken)).slice(0, MOST_PASTED)
    this.#pending = this.#pending.slice(end >= 0 ? end + PASTE_END.length : taken)
    if (end < 0) return false
    events.push({ kind: 'paste', text: this.#pasted })
    this.#pasted = undefined
    return true
  }

  #takeOne(events: InputEvent[]): boolean {
    const pending = this.#pending
    if (!pending.startsWith(ESC)) {
      const character = String.fromCodePoint(pending.codePointAt(0) ?? 0)
      this.#pending = pending.slice(character.length)
      events.push({ kind: 'key', name: nameOf(character) })
      return true
    }
    if (pending.startsWith(PASTE_START)) {
      this.#pending = pending.slice(PASTE_START.length)
      this.#pasted = ''
      return true
    }
    if (pending.startsWith(`${ESC}[M`)) return this.#skip(6)
    const found = CSI.exec(pending) ?? SS3.exec(pending) ?? REPLY.exec(pending)
    if (found !== null) {
      this.#pending = pending.slice(found[0].length)
      const event = eventOf(found)
      if (event !== undefined) events.push(event)
      return true
    }
    if (UNFINISHED.test(pending)) return false
    if (pending[1] === ESC) {
      this.#pending = pending.slice(1)
      events.push({ kind: 'key', name: 'escape' })
      return true
    }
    // Alt and a character: no key of ours.
    return this.#skip(2)
  }

  /** Whether so many characters are there to be skipped. */
  #skip(length: number): boolean {
    if (this.#pending.length < length) return false
    this.#pending = this.#pending.slice(length)
    return true
  }
}

function nameOf(character: string): string {
  const named = CONTROLS[character]
  if (named !== undefined) return named
  const code = character.codePointAt(0) ?? 0
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : character
}

function eventOf([sequence, parameters = '', , final = '']: RegExpExecArray): InputEvent | undefined {
  if (sequence.startsWith(`${ESC}O`)) return keyOf(FINALS[parameters])
  if (!sequence.startsWith(`${ESC}[`)) return undefined
  if (parameters.startsWith('<')) return mouseOf(parameters.slice(1).split(';').map(Number), final)
  return keyOf(final === '~' ? TILDES[parameters.split(';')[0] ?? ''] : FINALS[final])
}

function keyOf(name: string | undefined): InputEvent | undefined {
  return name === undefined ? undefined : { kind: 'key', name }
}

/** xterm's SGR mouse reports: button; column; row, from 1. */
function mouseOf([button = 0, x = 1, y = 1]: readonly number[], final: string): InputEvent | undefined {
  if (button === 64 || button === 65) return { kind: 'wheel', rows: button === 64 ? -3 : 3 }
  return button === 0 && final === 'M' ? { kind: 'click', x: x - 1, y: y - 1 } : undefined
}

function asPaste(events: InputEvent[]): InputEvent[] {
  const typed = events.flatMap((event) => (event.kind === 'key' ? [event.name] : []))
  if (typed.filter((name) => isCharacter(name)).length <= MOST_TYPED) return events
  const text = typed.map((name) => (name === 'enter' ? '\n' : isCharacter(name) ? name : '')).join('')
  return [{ kind: 'paste', text }]
}

function isCharacter(name: string): boolean {
  return /^.$/su.test(name)
}

/** How many characters at the end of the text begin the mark. */
function partOf(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length
  }
  return 0
}
