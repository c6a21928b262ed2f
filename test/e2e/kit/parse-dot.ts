// Parses the part of Graphviz's language used for drawings of pipelines, by its grammar: a digraph of statements,
// including subgraphs, with quoted ids and attribute lists. https://graphviz.org/doc/info/lang.html
import assert from 'node:assert/strict'

export interface DotGraph {
  /** Ids, in order. */
  readonly nodes: readonly string[]
  /** `from -> to`. */
  readonly edges: readonly string[]
}

const TOKEN = /\s*("(?:[^"\\]|\\[^])*"|[A-Za-z_][A-Za-z0-9_]*|-?\d+(?:\.\d+)?|->|[{}[\];,=])/y
const KEYWORDS = ['node', 'edge', 'graph']

/** Throws if the text is not DOT. */
export function parseDot(text: string): DotGraph {
  const tokens = tokensOf(text)
  const nodes: string[] = []
  const edges: string[] = []
  let at = 0
  const peek = (): string => tokens[at] ?? ''
  const take = (expected?: string): string => {
    const token = peek()
    assert.ok(expected === undefined || token === expected, `expected ${expected} and found ${token} at token ${at}`)
    at += 1
    return token
  }
  const id = (): string => {
    const token = take()
    assert.match(token, /^["A-Za-z_0-9-]/, `${token} is not an id`)
    return token.startsWith('"') ? token.slice(1, -1).replaceAll('\\"', '"') : token
  }
  const attributes = (): void => {
    if (peek() !== '[') return
    take('[')
    while (peek() !== ']') {
      id()
      take('=')
      id()
      if (peek() === ',') take(',')
    }
    take(']')
  }
  const statement = (): void => {
    const isKeyword = KEYWORDS.includes(peek())
    const first = id()
    if (first === 'subgraph') {
      id()
      return body()
    }
    if (peek() === '=') {
      take('=')
      id()
    } else if (peek() === '->') {
      take('->')
      edges.push(`${first} -> ${id()}`)
      attributes()
    } else {
      attributes()
      if (!isKeyword) nodes.push(first)
    }
    take(';')
  }
  function body(): void {
    take('{')
    while (peek() !== '}') statement()
    take('}')
  }
  take('digraph')
  id()
  body()
  assert.equal(at, tokens.length, 'something follows the graph')
  return { nodes, edges }
}

function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  const whole = text.trimEnd()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < whole.length) {
    const start = TOKEN.lastIndex
    const match = TOKEN.exec(whole)
    assert.ok(match !== null, `no token at ${whole.slice(start, start + 40)}`)
    tokens.push(match[1] ?? '')
  }
  return tokens
}
