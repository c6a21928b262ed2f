// What `check` says: one diagnostic per mistake, each at a place in a file. Places are offsets until they are reported.
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
  /** As the file was named. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** One past the last column of what is meant, on the same line. */
  readonly endColumn: number
  readonly help: string
  /** What else is to be known of the place: which pipeline uses the template that it is in. */
  readonly note?: string
  /** The line's text; undefined where there is none, or where it must not be shown. */
  readonly source: string | undefined
}

export interface SourceText {
  /** As the file was named. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly text: string
  readonly lines: LineCounter
}

/** Mistakes of a key or a value, of which a place has only one. */
const OF_A_PLACE: readonly DiagnosticCode[] = [
  'CONFIG_UNKNOWN_KEY',
  'CONFIG_WRONG_TYPE',
  'CONFIG_OUT_OF_RANGE',
  'CONFIG_WRONG_VALUE',
  'CONFIG_UNKNOWN_LISTENER',
  'CONFIG_UNKNOWN_AUTH',
]

const ROWS = { ...configError.table, ...pluginError.table }

/** Nobody reads more; a file that is no configuration has one mistake after the other. */
const MOST_DIAGNOSTICS = 2000

/** Characters; a longer line is not shown. */
const LONGEST_SHOWN = 4096

/** A range of a file, in offsets of its text. */
export interface Place {
  readonly file: SourceText
  readonly start: number
  readonly end: number
  /** Said with whatever is reported here. */
  readonly note?: string
}

export interface ReportOptions {
  readonly help?: string | undefined
  readonly severity?: 'error' | 'warning'
  /** The line holds a secret. */
  readonly hideSource?: boolean
}

/** Collects diagnostics; the same mistake at the same place (as an alias repeats it) is one. */
export class Problems {
  /** What no diagnostic shows. */
  readonly mask: SecretMask
  readonly #found = new Map<string, Diagnostic>()
  #errors = 0

  constructor(mask = new SecretMask()) {
    this.mask = mask
  }

  get hasErrors(): boolean {
    return this.#errors > 0
  }

  /** Nothing more is kept: it need not be looked for. The first error is kept whatever there is. */
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
    // What an alias repeats is said of another node each time; it is one mistake all the same.
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

  // A line with a secret in it is not shown at all: with *** in it, the caret would be wrong.
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
  // Of a text that was not read to its end, the last line that is known may not be the last.
  const end = next === undefined ? text.indexOf('\n', start) : next - 1
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '')
}
