// YAML text to a document, token by token, so that how deeply it is nested is known before anything recurses into it:
// the parser's own functions call each other once per level, and a stack that overflows inside a regular expression
// ends the process.
import { Composer, Lexer, Parser, YAMLParseError } from 'yaml'
import type { Document, LineCounter } from 'yaml'

/** Collections that are open at once; a pipeline has about ten. */
const DEEPEST_STACK = 100

/** The document; the offset at which it is nested too deeply, where it is. */
export function composeYaml(text: string, lines: LineCounter): Document.Parsed | number {
  // Whether keys are unique is seen when the tree is read: the composer compares each key with all before it.
  const options = { lineCounter: lines, merge: true, prettyErrors: false, uniqueKeys: false }
  const parser = new Parser(lines.addNewLine)
  const reading: { tooDeepAt: number | undefined } = { tooDeepAt: undefined }
  const tokens = tokensOf(text, parser, lines, reading)
  const composer = new Composer(options)
  const [first, second] = withoutStacks(() => composeTwo(composer.compose(tokens, true, text.length)))
  if (reading.tooDeepAt !== undefined || first === undefined) return reading.tooDeepAt ?? 0
  if (second !== undefined) {
    const [start, end] = second.range
    first.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'the file has more than one document'))
  }
  return first
}

/** Errors of the parser are data, thousands of them in a text that is no YAML: their stacks would cost more than all else. */
function withoutStacks<T>(run: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function composeTwo(documents: Iterable<Document.Parsed>): readonly Document.Parsed[] {
  const found: Document.Parsed[] = []
  for (const document of documents) {
    found.push(document)
    if (found.length === 2) break
  }
  return found
}

// Ends where it is too deep: what has been read until then is never looked at.
function* tokensOf(
  text: string,
  parser: Parser,
  lines: LineCounter,
  reading: { tooDeepAt: number | undefined },
): ReturnType<Parser['parse']> {
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > DEEPEST_STACK) {
      reading.tooDeepAt = Math.min(parser.offset, text.length - 1)
      return
    }
  }
  yield* parser.end()
}
