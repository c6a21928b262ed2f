// What lint has no rule for: names that say nothing, and words that mean "later" or "not here".
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ROOT, listFiles } from './repository.mjs'

const FOLDERS = ['media', 'protocols', 'engine', 'plugins', 'tui', 'test', 'scripts', 'examples']
/** A file or folder is named after the one thing that it holds. */
const SAYS_NOTHING = /^(utils?|helpers?|misc|common|shared|types|base|stuff|tools?|lib)$/

const WORDS = [
  { pattern: /\b(test|it|describe|suite)\.(skip|only|todo)\(|\b(skip|only|todo): true\b/, says: 'a test is left out' },
  { pattern: /(oxlint|eslint)-disable/, says: 'lint is switched off' },
  { pattern: /\b(t|context)\.(skip|todo)\(/, says: 'a test is left out' },
  { pattern: /\bas any\b/, says: 'an escape from the types' },
  { pattern: /\b(TODO|FIXME|XXX)\b(?!.*#\d)/, says: 'left for later without an issue number' },
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
  return names.filter((name) => SAYS_NOTHING.test(name)).map((name) => `${path}: "${name}" does not say what it holds`)
}

function faultsOfText(path) {
  // This file names the words that it looks for.
  if (path === 'scripts/check-sources.mjs' || path === 'scripts/walls.test.mjs') return []
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n')
  return lines.flatMap((line, index) =>
    WORDS.filter(({ pattern }) => pattern.test(line)).map(
      ({ says }) => `${path}:${index + 1}: ${says}: ${line.trim()}`,
    ),
  )
}
