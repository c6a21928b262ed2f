// Diagnostics as text for people, as JSON for tools, and as annotations for GitHub's logs.
import type { Diagnostic } from './diagnostic.js'

/** Longer lines are shown around the caret only. */
const SHOWN_COLUMNS = 160
/**
 * A file must not control the terminal of the person who checks it: control characters, and those that change the text
 * direction.
 */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

/** Each diagnostic with its line and a caret, then the counts. Empty text for none. */
export function renderText(diagnostics: readonly Diagnostic[]): string {
  if (diagnostics.length === 0) return ''
  const counts = [...countLine(diagnostics, 'warning'), ...countLine(diagnostics, 'error')]
  return [...diagnostics.map((diagnostic) => `${renderOne(diagnostic)}\n`), ...counts, ''].join('\n')
}

/** One array: the diagnostics, then the rows of `more`. */
export function renderJson(diagnostics: readonly Diagnostic[], more: readonly object[] = []): string {
  const rows = diagnostics.map(({ source: _, ...shown }) => shown)
  return `${JSON.stringify([...rows, ...more], undefined, 2)}\n`
}

/** One workflow command per line. Empty text for none. */
export function renderGithub(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map(({ severity, code, message, file, line, column, endColumn, help, note }) => {
      const at = `file=${property(file)},line=${line},col=${column},endColumn=${endColumn}`
      return `::${severity} ${at},title=${code}::${data([message, ...(note === undefined ? [] : [note]), help].join('\n'))}\n`
    })
    .join('')
}

function renderOne(diagnostic: Diagnostic): string {
  const { severity, code, message, file, line, column, help, note } = diagnostic
  const gutter = ' '.repeat(String(line).length)
  const head = [`${severity}[${code}]: ${printable(message)}`, `${gutter}--> ${printable(file)}:${line}:${column}`]
  const excerpt = excerptOf(diagnostic)
  const body =
    excerpt === undefined
      ? []
      : [
          `${gutter} |`,
          `${line} | ${excerpt.text}`.trimEnd(),
          `${gutter} | ${' '.repeat(excerpt.before)}${excerpt.carets}`,
        ]
  const notes = note === undefined ? [] : [`${gutter} = note: ${printable(note)}`]
  return [...head, ...body, ...notes, `${gutter} = help: ${printable(help)}`].join('\n')
}

function excerptOf(diagnostic: Diagnostic): { text: string; before: number; carets: string } | undefined {
  const { source, column, endColumn } = diagnostic
  if (source === undefined) return undefined
  const from = column + 20 > SHOWN_COLUMNS ? column - 1 - 40 : 0
  const text = printable(source.slice(from, from + SHOWN_COLUMNS))
  const before = column - 1 - from
  return { text, before, carets: '^'.repeat(Math.max(1, Math.min(endColumn - column, SHOWN_COLUMNS - before))) }
}

function countLine(diagnostics: readonly Diagnostic[], severity: Diagnostic['severity']): readonly string[] {
  const counted = diagnostics.filter((diagnostic) => diagnostic.severity === severity)
  if (counted.length === 0) return []
  const files = [...new Set(counted.map(({ file }) => printable(file)))].join(', ')
  return [`${counted.length} ${severity}${counted.length === 1 ? '' : 's'} in ${files}`]
}

function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ')
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
