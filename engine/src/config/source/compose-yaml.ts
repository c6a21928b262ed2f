// Composes YAML text into a document, token by token, so that its depth and its number of tokens are known before
// anything recurses into it: the parser's own functions recurse once per level, a stack overflow inside a regular
// expression ends the process, and composing cannot be interrupted.
import { Composer, Lexer, Parser, YAMLParseError } from 'yaml'
import type { Document, LineCounter } from 'yaml'
import { TimeSlice } from './time-slice.js'

/** Collections that are open at once; a pipeline has about ten. */
const DEEPEST_STACK = 100
/** Lexical pieces: words, punctuation, spaces and line ends; a node has about 40. */
const MOST_PIECES = 60_000
/** Characters; a certificate has a few thousand. */
const LONGEST_PIECE = 64 * 1024
/** Pieces between two looks at the clock. */
const PIECES_AT_ONCE = 200

/** Why a text was not composed, and where. */
export interface Uncomposed {
  readonly at: number
  readonly why: 'depth' | 'pieces' | 'length'
}

/** The document, or the place at which a limit was exceeded. */
export async function composeYaml(text: string, lines: LineCounter): Promise<Document.Parsed | Uncomposed> {
  // Unique keys are checked when the tree is read: the composer would compare each key with all keys before it.
  const options = { lineCounter: lines, merge: true, prettyErrors: false, uniqueKeys: false }
  const parser = new Parser(lines.addNewLine)
  const composer = new Composer(options)
  const found: Document.Parsed[] = []
  const slice = new TimeSlice()
  let pieces = 0
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    const at = parser.offset
    const tokens = [...parser.next(lexeme)]
    if (parser.stack.length > DEEPEST_STACK) return { at: Math.min(parser.offset, text.length - 1), why: 'depth' }
    if (lexeme.length > LONGEST_PIECE && /\S/.test(lexeme)) return { at, why: 'length' }
    pieces += 1
    if (pieces > MOST_PIECES) return { at, why: 'pieces' }
    if (pieces % PIECES_AT_ONCE === 0) await slice.yieldIfUsed()
    for (const token of tokens) compose(() => composer.next(token), found)
    if (found.length > 1) break
  }
  await slice.yieldNow()
  for (const token of [...parser.end()]) compose(() => composer.next(token), found)
  compose(() => composer.end(true, text.length), found)
  await slice.yieldNow()
  const [first, second] = found
  if (first === undefined) return { at: 0, why: 'depth' }
  if (second !== undefined) {
    const [start, end] = second.range
    first.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'the file has more than one document'))
  }
  return first
}

/**
 * The parser returns its errors as data, thousands of them for a text that is not YAML; capturing their stacks would
 * cost more than everything else.
 */
function compose(documents: () => Iterable<Document.Parsed>, found: Document.Parsed[]): void {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    found.push(...documents())
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
