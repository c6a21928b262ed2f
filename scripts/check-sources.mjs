// Checks for which lint has no rule: names that say nothing, skipped tests, disabled rules, and unfinished work.
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ROOT, listFiles } from './repository.mjs'

const FOLDERS = ['media', 'protocols', 'engine', 'plugins', 'tui', 'test', 'scripts', 'examples']
/** A file or folder must be named after the one thing that it contains. */
const SAYS_NOTHING = /^(utils?|helpers?|misc|common|shared|types|base|stuff|tools?|lib)$/

const WORDS = [
  { pattern: /\b(test|it|describe|suite)\.(skip|only|todo)\(|\b(skip|only|todo): true\b/, says: 'a test is skipped' },
  { pattern: /(oxlint|eslint)-disable/, says: 'lint is disabled' },
  { pattern: /\b(t|context)\.(skip|todo)\(/, says: 'a test is skipped' },
  { pattern: /\bas any\b/, says: 'the type check is bypassed' },
  { pattern: /\b(TODO|FIXME|XXX)\b(?!.*#\d)/, says: 'unfinished work without an issue number' },
]

/** @returns {Promise<string[]>} the faults */
export async function checkSources() {
  const sources = FOLDERS.flatMap((folder) => listFiles(folder, isSource))
  return sources.flatMap((path) => [...faultsOfName(path), ...faultsOfText(path)])
}

function isSource(path) {
  return /\.(ts|mts|js|mjs)$/.test(path) && !path.startsWith('test/fixtures/') && !path.startsWith('test/golden/')
}

function faultsOfName(path) {
  const names = [...dirname(path).split('/'), basename(path).replace(/(\.test)?\.\w+$/, '')]
  return names
    .filter((name) => SAYS_NOTHING.test(name))
    .map((name) => `${path}: "${name}" does not say what it contains`)
}

function faultsOfText(path) {
  // These files contain the words that are searched for.
  if (path === 'scripts/check-sources.mjs' || path === 'scripts/lint-rules.test.mjs') return []
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n')
  return lines.flatMap((line, index) =>
    WORDS.filter(({ pattern }) => pattern.test(line)).map(
      ({ says }) => `${path}:${index + 1}: ${says}: ${line.trim()}`,
    ),
  )
}
