// The YAML parser's errors in plain words: what is wrong, and what to do. The parser's own messages are about tokens.
import { isScalar, visit } from 'yaml'
import type { Document, YAMLError } from 'yaml'
import type { Place, Problems, SourceText } from './diagnostic.js'

/** One mistake causes many parser errors: one message per line, and no more than this per file. */
const MOST_SYNTAX_ERRORS = 20

interface Row {
  readonly message: string
  readonly help?: string
}

const ROWS: Readonly<Partial<Record<YAMLError['code'], Row>>> = {
  TAB_AS_INDENT: { message: 'a tab is used for indentation', help: 'indent with spaces' },
  BAD_INDENT: {
    message: 'the indentation is wrong, or a bracket is not closed',
    help: 'give the keys of a map the same indentation, and close every { and [',
  },
  MULTIPLE_DOCS: { message: 'the file has more than one document', help: 'remove the --- and split the file' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'there is a second ": " on the line',
    help: 'put the text in double quotes, or begin the inner map on a new line',
  },
  MULTILINE_IMPLICIT_KEY: { message: 'a key spans several lines', help: 'is a ":" missing, or a quote not closed?' },
  BAD_SCALAR_START: {
    message: 'a text begins with a character that has a special meaning in YAML',
    help: 'put the text in double quotes',
  },
  BAD_DQ_ESCAPE: { message: 'a \\ does not begin a valid escape', help: 'write \\\\ for a literal \\' },
  RESOURCE_EXHAUSTION: { message: 'the document is nested too deeply', help: 'a pipeline needs five levels' },
  TAG_RESOLVE_FAILED: {
    message: 'tags are not supported',
    help: 'remove the !tag, or quote a text that begins with !',
  },
}

const OPEN_QUOTE: Row = {
  message: 'this quote is never closed',
  help: 'close it, or put a \\ in front of a quote inside the text',
}

/** Reports the parser's errors. Returns true if there are none and the tree can be used. */
export function reportSyntax(document: Document.Parsed, file: SourceText, problems: Problems): boolean {
  const errors: readonly YAMLError[] = [...document.errors, ...document.warnings]
  const lines = new Set<number>()
  for (const error of errors) {
    const place = openQuoteOf(error, document, file) ?? placeOfError(error, file)
    const { line } = file.lines.linePos(place.start)
    if (lines.has(line)) continue
    lines.add(line)
    if (lines.size > MOST_SYNTAX_ERRORS) break
    reportOne(error, place, problems)
  }
  return errors.length === 0
}

function reportOne(error: YAMLError, place: Place, problems: Problems): void {
  const unquoted = unquotedAt(place)
  if (unquoted !== undefined) {
    const help = 'put the whole text in double quotes: "${NAME}"'
    return problems.report('CONFIG_UNQUOTED', unquoted, 'a ${...} must be quoted here, because YAML interprets { }', {
      help,
    })
  }
  if (error.code === 'BAD_ALIAS') {
    const help = 'put it in double quotes: "*"'
    return problems.report('CONFIG_UNQUOTED', place, 'an unquoted * begins an alias in YAML', { help })
  }
  const row = isOpenQuote(error) ? OPEN_QUOTE : ROWS[error.code]
  const message = row?.message ?? error.message
  problems.report('CONFIG_SYNTAX', place, message, { help: row?.help })
}

function isOpenQuote({ code, message }: YAMLError): boolean {
  return code === 'MISSING_CHAR' && message.includes('quote')
}

// The parser points to the end of the text that the quote has swallowed; the mistake is at the quote.
function openQuoteOf(error: YAMLError, document: Document.Parsed, file: SourceText): Place | undefined {
  if (!isOpenQuote(error)) return undefined
  let start: number | undefined
  visit(document, (_key, node) => {
    const range = isScalar(node) && node.type?.startsWith('QUOTE') === true ? node.range : undefined
    if (range !== undefined && range !== null && range[0] < error.pos[0] && range[0] >= (start ?? 0)) start = range[0]
  })
  return start === undefined ? undefined : { file, start, end: start + 1 }
}

function placeOfError(error: YAMLError, file: SourceText): Place {
  const length = file.text.length
  let start = Math.min(error.pos[0], Math.max(0, length - 1))
  // An indentation error is shown where the text begins.
  if (error.code === 'BAD_INDENT') while (file.text[start] === ' ') start += 1
  // At the end of the text the parser points past the last line break; the mistake is on the line before.
  while (start > 0 && error.pos[0] >= length && /\s/.test(file.text[start] ?? '')) start -= 1
  return { file, start, end: Math.max(start + 1, Math.min(error.pos[1], start + 80)) }
}

// The expression that confused the parser is on the same line, at the error or before it, and outside quotes.
function unquotedAt(place: Place): Place | undefined {
  const { file, start } = place
  const lineStart = file.text.lastIndexOf('\n', start) + 1
  const lineEnd = file.text.indexOf('\n', start)
  const line = file.text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd)
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? ''
    if (quote === '' && char === '#' && /\s/.test(line[at - 1] ?? ' ')) return undefined
    if (quote === '' && line.startsWith('${', at)) {
      const close = line.indexOf('}', at)
      return { file, start: lineStart + at, end: lineStart + (close === -1 ? at + 2 : close + 1) }
    }
    if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
  }
  return undefined
}
