// Files of `--env-file`: lines KEY=VALUE, with comments, quotes, and `export` in front, as shells and container tools
// read them. Values are not interpolated; "..." understands \n \r \t \" \\ \$, '...' is taken literally. The content of
// a line is never shown: passwords are kept in such files. util.parseEnv does not fit: it skips lines that it cannot
// read, reads `a#b` as `a`, and ends "..." at \".
import { LineCounter } from 'yaml'
import type { Problems, SourceText } from '../report/diagnostic.js'
import type { Environment } from './interpolate.js'
import { readSource } from './read-source.js'
import type { Contents } from './read-source.js'

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*/
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** The variables of the files; later files override earlier ones, and the environment overrides all of them. */
export async function readEnvFiles(
  names: readonly string[],
  env: Environment,
  problems: Problems,
  contents?: Contents,
): Promise<Environment> {
  if (names.length === 0) return env
  const found = new Map<string, string>()
  for (const name of names) {
    const source = await readSource(name, problems, contents)
    if (source !== undefined) readLines(source, found, problems)
  }
  const set = Object.entries(env).filter(([, value]) => value !== undefined)
  return Object.fromEntries([...found, ...set])
}

function readLines(
  source: Pick<SourceText, 'name' | 'path' | 'text'>,
  found: Map<string, string>,
  problems: Problems,
): void {
  const lines = new LineCounter()
  const file: SourceText = { ...source, lines }
  let start = 0
  for (const line of source.text.split('\n')) {
    lines.addNewLine(start)
    const text = line.replace(/\r$/, '')
    const read = readLine(text)
    if (read !== undefined && 'value' in read) found.set(read.name, read.value)
    if (read !== undefined && 'problem' in read) {
      const at = start + (text.length - text.trimStart().length)
      const place = { file, start: at, end: Math.max(at + 1, start + text.length) }
      problems.report('CONFIG_ENV_FILE', place, read.problem, { hideSource: true })
    }
    start += line.length + 1
  }
}

type Line = { readonly name: string; readonly value: string } | { readonly problem: string }

function readLine(line: string): Line | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined
  const match = ASSIGNMENT.exec(line)
  const [whole = '', name = ''] = match ?? []
  if (match === null) return { problem: 'the line is not of the form KEY=VALUE' }
  const rest = line.slice(whole.length)
  const quote = rest[0]
  // A # begins a comment if a space is in front of it; directly after the = it leaves the value empty.
  if (quote !== '"' && quote !== "'") return { name, value: rest.replace(/(^|\s+)#.*$/, '').trimEnd() }
  const end = endOfQuote(rest, quote)
  if (end === -1) return { problem: `the ${quote} in the value of ${name} is not closed on the same line` }
  if (!/^\s*(#|$)/.test(rest.slice(end + 1))) return { problem: `something follows the quoted value of ${name}` }
  const inner = rest.slice(1, end)
  return { name, value: quote === '"' ? unescape(inner) : inner }
}

function endOfQuote(text: string, quote: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === quote) return at
    if (quote === '"' && text[at] === '\\') at += 1
  }
  return -1
}

function unescape(text: string): string {
  return text.replaceAll(/\\([nrt"\\$])/g, (_, char: string) => ESCAPES[char] ?? char)
}
