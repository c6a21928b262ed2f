// Each folder of golden/config is a configuration and the output of `check` for it. UPDATE_GOLDEN=1 writes the current
// output: review the difference before committing it.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { discoverPlugins, loadConfig, renderText } from '@millrace/engine'
import type { Diagnostic, DiscoverRequest, Discovered } from '@millrace/engine'

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const CASES = join(REPOSITORY, 'test/golden/config')
const UPDATE = process.env['UPDATE_GOLDEN'] === '1'
/** Installed plugins do not affect the expected output. */
const PLUGINS = ['auth-session', 'input-file', 'input-rtmp', 'input-srt', 'input-tcp', 'metrics', 'output-hls', 'output-http-ts', 'output-rtmp', 'output-srt', 'output-udp', 'transform-gop', 'transform-validate']
/** The line of `expected.txt` for a configuration without mistakes. */
const GOOD = 'no mistakes\n'

/** `options.json` of a case. */
interface CaseOptions {
  readonly files?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly envFiles?: readonly string[]
  readonly sets?: readonly string[]
  readonly noEnv?: boolean
  /** By default true: most cases name files that do not exist. */
  readonly ignoresMissingFiles?: boolean
  /** Length to which the file is padded. */
  readonly padding?: number
}

const seen = new Set<string>()

for (const name of readdirSync(CASES)) {
  if (existsSync(join(CASES, name, 'pipeline.yaml')) || existsSync(join(CASES, name, 'options.json'))) {
    test(`check reports what is expected for ${name}`, () => checkCase(join(CASES, name)))
  }
}

test('ten mistakes in a file are ten errors at ten positions', async () => {
  const diagnostics = await diagnose(join(CASES, 'ten-mistakes'))
  assert.equal(diagnostics.length, 10)
  assert.equal(new Set(diagnostics.map(({ line, column }) => `${line}:${column}`)).size, 10)
})

after(() => {
  const page = readFileSync(join(REPOSITORY, 'docs/errors.md'), 'utf8')
  const documented = new Set(page.match(/\bCONFIG_[A-Z_]+\b/g))
  assert.deepEqual(
    [...documented].filter((code) => !seen.has(code)).sort(),
    [],
    'every documented code has a case',
  )
  const unknown = [...seen].filter((code) => code.startsWith('CONFIG_') && !documented.has(code))
  assert.deepEqual(unknown, [], 'every code in a case is documented')
})

async function checkCase(folder: string): Promise<void> {
  const diagnostics = await diagnose(folder)
  const text = renderText(diagnostics).replaceAll(REPOSITORY, '<repository>')
  const expected = join(folder, 'expected.txt')
  if (UPDATE) writeFileSync(expected, text === '' ? GOOD : text)
  assert.equal(text === '' ? GOOD : text, readFileSync(expected, 'utf8'))
}

async function diagnose(folder: string): Promise<readonly Diagnostic[]> {
  // File names are relative to the folder of the case.
  process.chdir(folder)
  const json = existsSync('options.json') ? readFileSync('options.json', 'utf8') : '{}'
  const { files = ['pipeline.yaml'], env = {}, padding = 0, ignoresMissingFiles = true, ...options } = JSON.parse(json) as CaseOptions
  const contents =
    padding === 0 ? undefined : new Map([['pipeline.yaml', readFileSync('pipeline.yaml', 'utf8').padEnd(padding, '#')]])
  const { diagnostics } = await loadConfig(files, {
    ...options,
    ignoresMissingFiles,
    env,
    contents,
    plugins: findPlugins,
  })
  for (const { code } of diagnostics) seen.add(code)
  return diagnostics
}

function findPlugins({ plugins }: DiscoverRequest): Promise<Discovered> {
  const named = [...PLUGINS.map((name) => `@millrace/${name}`), './definitions.js'].map((name) => ({
    name,
    folder: CASES,
  }))
  return discoverPlugins({ yamlFiles: [], plugins: [...named, ...plugins], starterPackage: undefined })
}
