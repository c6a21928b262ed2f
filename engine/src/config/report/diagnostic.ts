// What `check` reports: one diagnostic per mistake, each at a place in a file. Places are offsets until they are
// reported.
import type { LineCounter } from 'yaml'
import { pluginError } from '../../plugin/plugin-errors.js'
import type { PluginErrorCode } from '../../plugin/plugin-errors.js'
import type { Position } from '../../graph/graph.js'
import { configError } from './config-errors.js'
import type { ConfigErrorCode } from './config-errors.js'
import { SecretMask } from '../../graph/secret-mask.js'

export type DiagnosticCode = ConfigErrorCode | PluginErrorCode

export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly code: DiagnosticCode
  readonly message: string
  /** The name by which the file was given. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** One past the last column of the underlined text, on the same line. */
  readonly endColumn: number
  readonly help: string
  /** Context of the place: which pipeline uses the template that contains it. */
  readonly note?: string
  /** The text of the line; undefined if there is none, or if it must not be shown. */
  readonly source: string | undefined
}

export interface SourceText {
  /** The name by which the file was given. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly text: string
  readonly lines: LineCounter
}

/** Mistakes of a key or a value; each is reported only once at a place. */
const OF_A_PLACE: readonly DiagnosticCode[] = [
  'CONFIG_UNKNOWN_KEY',
  'CONFIG_WRONG_TYPE',
  'CONFIG_OUT_OF_RANGE',
  'CONFIG_WRONG_VALUE',
  'CONFIG_UNKNOWN_LISTENER',
  'CONFIG_UNKNOWN_AUTH',
]

const ROWS = { ...configError.table, ...pluginError.table }

/** More would not be read, and a file that is not a configuration at all has any number of mistakes. */
const MOST_DIAGNOSTICS = 2000

/** Characters; a longer line is not shown. */
const LONGEST_SHOWN = 4096

/** A range of a file, in offsets of its text. */
export interface Place {
  readonly file: SourceText
  readonly start: number
  readonly end: number
  /** Added to everything that is reported here. */
  readonly note?: string
}

/** A file that an option names. */
export interface NamedFile {
  /** Absolute. */
  readonly path: string
  /** As in the YAML. */
  readonly written: string
  readonly place: Place
  /** What names it, such as `"ca" of input "main"`. */
  readonly title: string
  /** Whether it has to be there; undefined if not. */
  readonly exists: 'required' | 'expected' | undefined
  readonly is: 'file' | 'folder' | undefined
}

export interface ReportOptions {
  readonly help?: string | undefined
  readonly severity?: 'error' | 'warning'
  /** The line holds a secret. */
  readonly hideSource?: boolean
}

/** Collects diagnostics; the same mistake at the same place (repeated by an alias) counts once. */
export class Problems {
  /** Masks what no diagnostic may show. */
  readonly mask: SecretMask
  /** Files that have to be there; whether they are is checked last. */
  readonly files: NamedFile[] = []
  readonly #found = new Map<string, Diagnostic>()
  #errors = 0

  constructor(mask = new SecretMask()) {
    this.mask = mask
  }

  get hasErrors(): boolean {
    return this.#errors > 0
  }

  /** No further diagnostics are kept, so there is no need to look for more. The first error is always kept. */
  get isFull(): boolean {
    return this.#found.size >= MOST_DIAGNOSTICS && this.hasErrors
  }

  report(code: DiagnosticCode, place: Place, message: string, options: ReportOptions = {}): void {
    if (this.isFull) return
    const { line, column } = positionOf(place)
    const source = lineAt(place.file, line)
    const endColumn = Math.max(column + 1, Math.min(column + place.end - place.start, source.length + 1))
    this.add({
      severity: options.severity ?? 'error',
      code,
      message,
      file: place.file.name,
      line,
      column,
      endColumn,
      help: options.help ?? hintOf(code),
      ...(place.note === undefined ? {} : { note: place.note }),
      source: options.hideSource === true || source.length > LONGEST_SHOWN ? undefined : source,
    })
  }

  /** A problem with a file as a whole. */
  reportFile(code: DiagnosticCode, file: string, message: string): void {
    const at = { line: 1, column: 1, endColumn: 2, source: undefined }
    this.add({ severity: 'error', code, message, file, help: hintOf(code), ...at })
  }

  add(diagnostic: Diagnostic): void {
    const { code, file, line, column, message } = diagnostic
    // A mistake that an alias repeats is reported for another node each time; it is still one mistake.
    const what = OF_A_PLACE.includes(code) ? '' : message
    const key = JSON.stringify([code, file, line, column, what])
    if (this.#found.has(key)) return
    if (diagnostic.severity === 'error') this.#errors += 1
    if (this.#found.size < MOST_DIAGNOSTICS || this.#errors === 1) this.#found.set(key, diagnostic)
  }

  /** In the order of the files, then of their lines; masked. */
  list(files: readonly string[]): readonly Diagnostic[] {
    const order = new Map(files.map((file, index) => [file, index]))
    const rank = (file: string): number => order.get(file) ?? files.length
    const sorted = [...this.#found.values()].sort(
      (a, b) => rank(a.file) - rank(b.file) || a.line - b.line || a.column - b.column,
    )
    return sorted.map((diagnostic) => this.#masked(diagnostic))
  }

  // A line that contains a secret is not shown at all: with *** in it, the caret would be in the wrong place.
  #masked(diagnostic: Diagnostic): Diagnostic {
    const { message, help, note, source } = diagnostic
    return {
      ...diagnostic,
      message: this.mask.mask(message),
      help: this.mask.mask(help),
      ...(note === undefined ? {} : { note: this.mask.mask(note) }),
      source: source === undefined || this.mask.isIn(source) ? undefined : source,
    }
  }
}

/** Line and column, from 1. */
export function positionOf(place: Place): Position {
  const { line, col } = place.file.lines.linePos(place.start)
  return { file: place.file.name, line: Math.max(line, 1), column: Math.max(col, 1) }
}

export function hintOf(code: DiagnosticCode): string {
  return ROWS[code].hint
}

function lineAt({ text, lines }: SourceText, line: number): string {
  const start = lines.lineStarts[line - 1] ?? 0
  const next = lines.lineStarts[line]
  // If the text was not read to its end, the last known line may not be the last one.
  const end = next === undefined ? text.indexOf('\n', start) : next - 1
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '')
}
