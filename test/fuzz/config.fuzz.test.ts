// Runs mutated configurations through check: whatever a file contains, the result is a graph or documented errors with
// positions, within a second. FUZZ_RUNS and FUZZ_SEED choose how many and which; a failure prints the seed of its run.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { discoverPlugins, loadConfig, renderGithub, renderJson, renderText } from '@millrace/engine'
import type { Discovered, LoadOptions } from '@millrace/engine'

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 20_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
/** Of the processor. */
const SLOWEST_MS = 1000
/** Maximum mutations of one file. */
const MAX_MUTATIONS = 6
const TOKENS = [
  ...[
    '${',
    '}',
    '${A}',
    '${A:-b}',
    '${A:?b}',
    '${secret:anna}',
    '$${',
    '*',
    '&a ',
    '*a',
    '<<: *a',
    '"',
    "'",
    '\t',
    '\n',
  ],
  ...[
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '#',
    '!',
    '|',
    '>',
    '? ',
    '\0',
    '\r\n',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '\u{1f600}',
  ],
  ...[
    '__proto__',
    'constructor',
    'null',
    '~',
    '-1',
    '1e309',
    '0x1',
    '.nan',
    '9007199254740993',
    'true',
    '=',
    '10s',
    '',
  ],
  ...['from', 'type', 'inputs', 'pipelines', 'secrets: { anna: { env: A } }', 'defaults', 'version: 1', 'file', 'gop'],
]

type Random = (below: number) => number

interface Mutation {
  readonly name: string
  apply(text: Buffer, random: Random, seeds: readonly Buffer[]): Buffer
}

const MUTATIONS: readonly Mutation[] = [
  { name: 'byte flips', apply: flipBytes },
  { name: 'line swaps', apply: swapLines },
  { name: 'token swaps', apply: swapTokens },
  { name: 'insertion', apply: insertToken },
  { name: 'truncation', apply: (text, random) => text.subarray(0, random(text.length + 1)) },
  { name: 'removal', apply: removeRange },
  { name: 'splice', apply: splice },
  { name: 'indentation', apply: indentLine },
  { name: 'repetition', apply: repeatRange },
  { name: 'nesting', apply: nestDeeply },
]

test(`${RUNS} mutated configurations are accepted or reported, each within a second`, async () => {
  const seeds = readSeeds()
  const documented = new Set(readFileSync(join(REPOSITORY, 'docs/errors.md'), 'utf8').match(/\b[A-Z]+_[A-Z_]+\b/g))
  const discovered = await discoverPlugins({ yamlFiles: [], plugins: [], starterPackage: REPOSITORY })
  let rejected = 0
  for (let run = 0; run < RUNS; run++) {
    const random = randomOf(SEED * 1_000_003 + run)
    const names: string[] = []
    let text = pick(seeds, random)
    for (let left = 1 + random(MAX_MUTATIONS); left > 0; left--) {
      const mutation = pick(MUTATIONS, random)
      names.push(mutation.name)
      text = mutation.apply(text, random, seeds)
    }
    const say = (what: string): string =>
      `run ${run} of seed ${SEED} (${names.join(', ')}) ${what}:\n${text.toString()}`
    rejected += await check(text, random, discovered, documented, say)
  }
  // A fuzzer whose files are all refused immediately, or all accepted, tests nothing.
  assert.ok(RUNS < 1000 || (rejected > RUNS / 10 && rejected < RUNS))
})

/** Returns 1 if there were errors. */
async function check(
  text: Buffer,
  random: Random,
  discovered: Discovered,
  documented: ReadonlySet<string>,
  say: (what: string) => string,
): Promise<number> {
  const options: LoadOptions = {
    env: random(2) === 0 ? {} : { A: 'hunter2', ANNA: 'hunter2' },
    noEnv: random(4) === 0,
    contents: new Map([['fuzz.yaml', text]]),
    plugins: () => Promise.resolve(discovered),
  }
  const { loaded, tookMs } = await load(options, say)
  const { graph, diagnostics } = loaded
  assert.ok(tookMs < SLOWEST_MS, say(`took ${tookMs.toFixed(0)} ms`))
  const hasErrors = diagnostics.some(({ severity }) => severity === 'error')
  assert.equal(graph === undefined, hasErrors, say('has errors and a graph, or neither'))
  for (const { code, line, column, endColumn, help } of diagnostics) {
    assert.ok(documented.has(code) && code !== 'PLUGIN_FAULT', say(`is reported as ${code}`))
    assert.ok(line >= 1 && column >= 1 && endColumn > column && help !== '', say(`has ${code} at no place`))
  }
  renderText(diagnostics)
  renderGithub(diagnostics)
  JSON.parse(renderJson(diagnostics))
  return hasErrors ? 1 : 0
}

/** CPU time. A slow file is loaded again: the first time may have included the collection of earlier garbage. */
async function load(
  options: LoadOptions,
  say: (what: string) => string,
): Promise<{ readonly loaded: Awaited<ReturnType<typeof loadConfig>>; readonly tookMs: number }> {
  for (let attempt = 1; ; attempt++) {
    const began = process.cpuUsage()
    try {
      const loaded = await loadConfig(['fuzz.yaml'], options)
      const { user, system } = process.cpuUsage(began)
      const tookMs = (user + system) / 1000
      if (tookMs < SLOWEST_MS || attempt === 3) return { loaded, tookMs }
    } catch (error) {
      throw new Error(say('throws'), { cause: error })
    }
  }
}

function readSeeds(): readonly Buffer[] {
  const golden = join(REPOSITORY, 'test/golden/config')
  const pipelines = join(REPOSITORY, 'pipelines')
  const files = [
    ...readdirSync(pipelines).flatMap((name) => (name.endsWith('.yaml') ? [join(pipelines, name)] : [])),
    ...readdirSync(golden).map((name) => join(golden, name, 'pipeline.yaml')),
  ].filter((file) => existsSync(file))
  return files.sort().map((file) => readFileSync(file))
}

/** Integers below a bound, the same for the same seed (mulberry32). */
function randomOf(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function pick<T>(from: readonly T[], random: Random): T {
  const chosen = from[random(from.length)]
  assert.ok(chosen !== undefined)
  return chosen
}

function flipBytes(text: Buffer, random: Random): Buffer {
  const copy = Buffer.from(text)
  for (let left = 1 + random(4); left > 0 && copy.length > 0; left--) {
    const at = random(copy.length)
    copy[at] = random(3) === 0 ? random(256) : (copy[at] ?? 0) ^ (1 << random(7))
  }
  return copy
}

function swapLines(text: Buffer, random: Random): Buffer {
  return Buffer.from(swapTwo(text.toString().split('\n'), random).join('\n'))
}

function swapTokens(text: Buffer, random: Random): Buffer {
  return Buffer.from(swapTwo(text.toString().split(/(\s+|[{}[\],:'"]+)/), random).join(''))
}

function swapTwo(parts: readonly string[], random: Random): readonly string[] {
  const [a, b] = [random(parts.length), random(parts.length)]
  return parts.with(a, parts[b] ?? '').with(b, parts[a] ?? '')
}

function insertToken(text: Buffer, random: Random): Buffer {
  const at = random(text.length + 1)
  return Buffer.concat([text.subarray(0, at), Buffer.from(pick(TOKENS, random)), text.subarray(at)])
}

function removeRange(text: Buffer, random: Random): Buffer {
  const at = random(text.length + 1)
  return Buffer.concat([text.subarray(0, at), text.subarray(at + random(40))])
}

function splice(text: Buffer, random: Random, seeds: readonly Buffer[]): Buffer {
  const other = pick(seeds, random)
  return Buffer.concat([text.subarray(0, random(text.length + 1)), other.subarray(random(other.length + 1))])
}

function indentLine(text: Buffer, random: Random): Buffer {
  const lines = text.toString().split('\n')
  const at = random(lines.length)
  const line = lines[at] ?? ''
  return Buffer.from(
    lines.with(at, random(2) === 0 ? `${' '.repeat(1 + random(8))}${line}` : line.slice(1 + random(4))).join('\n'),
  )
}

function repeatRange(text: Buffer, random: Random): Buffer {
  const at = random(text.length + 1)
  const part = text.subarray(at, at + 1 + random(60))
  const times = random(10) === 0 ? 500 : 1 + random(4)
  return Buffer.concat([text.subarray(0, at), ...Array.from({ length: times }, () => part), text.subarray(at)])
}

function nestDeeply(text: Buffer, random: Random): Buffer {
  const at = random(text.length + 1)
  const [open = '', close = ''] = pick(
    [
      ['[', ']'],
      ['{ a: ', ' }'],
      ['- ', ''],
      ['{ ? ', ' }'],
      ['"${', '}"'],
    ],
    random,
  )
  const depth = 1 + random(random(8) === 0 ? 5000 : 80)
  return Buffer.concat([
    text.subarray(0, at),
    Buffer.from(`${open.repeat(depth)}${pick(TOKENS, random)}${close.repeat(depth)}`),
    text.subarray(at),
  ])
}
