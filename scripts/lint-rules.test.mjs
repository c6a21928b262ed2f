// Tests of the lint configuration, above all of its import rules: it runs over snippets laid out like the repository,
// and must refuse each for the expected reason, or accept it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LAYERS } from './engine-layers.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OXLINT = join(ROOT, 'node_modules/.bin/oxlint')

const IMPORTS = 'eslint(no-restricted-imports)'
const GLOBALS = 'eslint(no-restricted-globals)'
const OPENING = `import { SrtSocket } from '@millrace/srt/node'\nexport const socket = await SrtSocket.open()`

/** Folder, contents of a file in it, and the rule that refuses the file; without a rule it must be accepted. */
const SNIPPETS = [
  { in: 'media/src', code: `import '@millrace/engine'`, rule: IMPORTS },
  { in: 'media/src', code: `import '@millrace/engine/plugin'`, rule: IMPORTS },
  { in: 'media/src', code: `import 'node:fs'`, rule: IMPORTS },
  { in: 'media/src', code: `import 'node:net'`, rule: IMPORTS },
  { in: 'media/src', code: `import 'node:timers/promises'`, rule: IMPORTS },
  { in: 'media/src', code: `import 'rxjs'`, rule: IMPORTS },
  { in: 'media/src', code: `import '../../engine/src/errors.js'`, rule: IMPORTS },
  { in: 'media/src', code: `setTimeout(() => {}, 1)`, rule: GLOBALS },
  { in: 'media/src', code: `export const now = performance.now()`, rule: GLOBALS },
  { in: 'media/src', code: `export const bytes = Buffer.alloc(1)`, rule: GLOBALS },
  { in: 'media/src/mpegts', code: `import '../h264/nal.js'` },
  { in: 'media/src', test: true, code: `import 'node:fs'` },
  { in: 'media/src', test: true, code: `import '@millrace/engine/testing'`, rule: IMPORTS },

  { in: 'protocols/rtmp/src', code: `import 'node:net'`, rule: IMPORTS },
  { in: 'protocols/rtmp/src/session', code: `export const now = performance.now()`, rule: GLOBALS },
  { in: 'protocols/rtmp/src/io', code: `import 'node:net'` },
  { in: 'protocols/srt/src', code: `import '@millrace/engine/plugin'`, rule: IMPORTS },
  { in: 'protocols/srt/src', code: `import '@millrace/media/mpegts'` },
  { in: 'protocols/srt/src', code: `import 'node:dgram'`, rule: IMPORTS },
  { in: 'protocols/srt/src', code: `import 'dgram'`, rule: IMPORTS },
  { in: 'protocols/srt/src', code: `import 'node:timers/promises'`, rule: IMPORTS },
  { in: 'protocols/srt/src/receive', code: `import '../io/srt-socket.js'`, rule: IMPORTS },
  { in: 'protocols/srt/src', code: `import './io/srt-socket.js'`, rule: IMPORTS },
  { in: 'protocols/srt/src', code: `setTimeout(() => {}, 1)`, rule: GLOBALS },
  { in: 'protocols/srt/src', code: `export const now = performance.now()`, rule: GLOBALS },
  { in: 'protocols/srt/src/send', code: `export const now = Date.now()`, rule: GLOBALS },
  { in: 'protocols/srt/src/crypto', code: `import 'node:crypto'` },
  { in: 'protocols/srt/src/io', code: `import 'node:dgram'\nsetTimeout(() => {}, performance.now())` },
  { in: 'protocols/srt/src', test: true, code: `import 'node:dgram'` },

  { in: 'engine/src/run', code: `import '@millrace/input-file'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `export const plugin = import('@millrace/input-file')`, rule: IMPORTS },
  { in: 'engine/src/cli', code: `import '@millrace/tui'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `import '../../../plugins/metrics/src/index.js'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `import 'inversify'`, rule: IMPORTS },
  { in: 'engine/src/run/node', code: `import 'rxjs/internal/scheduler/timeoutProvider'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `import 'yaml'`, rule: IMPORTS },
  { in: 'engine/src/config', code: `import 'commander'`, rule: IMPORTS },
  { in: 'engine/src/listen', code: `import '@hono/node-server'`, rule: IMPORTS },
  { in: 'engine/src/listen', code: `import 'hono/cors'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `import '@millrace/media/mpegts'` },
  { in: 'engine/src/config', code: `import 'yaml'` },
  { in: 'engine/src/cli', code: `import 'commander'` },
  { in: 'engine/src/api', code: `import 'hono'` },
  { in: 'engine/src/compose', code: `import 'inversify'` },
  { in: 'engine/src/run/node', test: true, code: `import 'yaml'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `import './run.test.kit.js'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `import '../testing/index.js'`, rule: IMPORTS },
  { in: 'engine/src/run', test: true, code: `import '../testing/index.js'` },
  { in: 'engine/src/observe', test: true, code: `import '../run/engine.js'` },

  { in: 'plugins/input-file/src', code: `import '@millrace/engine'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import '@millrace/engine/testing'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import '@millrace/metrics'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import type { Metrics } from '@millrace/metrics'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import '../../metrics/src/index.js'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import 'inversify'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import 'yaml'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import { concatMap } from 'rxjs'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import { mergeMap } from 'rxjs/operators'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import { observeOn } from 'rxjs'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import { delay } from 'rxjs'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import * as rx from 'rxjs'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import 'rxjs/internal/operators/delay'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import 'node:child_process'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import 'execa'`, rule: IMPORTS },
  { in: 'engine/src/run', code: `import 'execa'`, rule: IMPORTS },
  { in: 'engine/src/processes', code: `import 'execa'` },
  { in: 'plugins/input-file/src', code: `import { createSocket } from 'node:dgram'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import { connect } from 'node:net'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import net from 'node:net'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import * as net from 'node:net'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import { connect } from 'node:tls'`, rule: IMPORTS },
  { in: 'plugins/input-file/src', code: `import { isIP } from 'node:net'\nexport const used = isIP` },
  {
    in: 'plugins/input-file/src',
    code: `import { createSecureContext } from 'node:tls'\nexport const used = createSecureContext`,
  },
  { in: 'plugins/input-file/src', code: `import { request } from 'node:https'\nexport const used = request` },
  {
    in: 'plugins/input-file/src',
    test: true,
    code: `import { createSocket } from 'node:dgram'\nexport const used = createSocket`,
  },
  { in: 'plugins/input-file/src', code: `setInterval(() => {}, 1)`, rule: GLOBALS },
  { in: 'plugins/input-file/src', code: `import '@millrace/engine/plugin'` },
  { in: 'plugins/input-file/src', code: `import '@millrace/media/mpegts'` },
  { in: 'plugins/input-file/src', code: `import '@millrace/srt'`, rule: IMPORTS },
  { in: 'plugins/input-srt/src', code: `import '@millrace/srt'\nimport '@millrace/srt/node'` },
  { in: 'plugins/input-srt/src', test: true, code: `import '@millrace/srt/node'` },
  { in: 'plugins/input-srt/src', code: `import { createSocket } from 'node:dgram'`, rule: IMPORTS },
  { in: 'plugins/input-srt/src', code: OPENING, rule: 'eslint(no-restricted-properties)' },
  { in: 'plugins/input-srt/src', test: true, code: OPENING },
  { in: 'plugins/input-file/src', code: `import { map } from 'rxjs'\nexport const used = map` },
  { in: 'plugins/input-file/src', test: true, code: `import '@millrace/engine/testing'` },
  { in: 'plugins/input-file/src', test: true, code: `import '@millrace/metrics'`, rule: IMPORTS },
  { in: 'plugins/metrics/src', code: `import '@millrace/input-file'`, rule: IMPORTS },
  { in: 'plugins/metrics/src', name: 'index', code: `export default {}` },
  { in: 'plugins/metrics/src', code: `export default {}`, rule: 'import(no-default-export)' },

  { in: 'tui/src', code: `import '@millrace/engine/plugin'`, rule: IMPORTS },
  { in: 'tui/src', code: `import '@millrace/engine/api'` },

  { in: 'test/e2e', code: `import '../../engine/src/errors.js'`, rule: IMPORTS },
  { in: 'test/e2e', code: `import '@millrace/engine/testing'` },

  { in: 'engine/src/run', code: `console.log('x')`, rule: 'eslint(no-console)' },
  { in: 'engine/src/cli', code: `console.log('x')` },
  { in: 'engine/src/run', code: `export const x: any = 1`, rule: 'typescript(no-explicit-any)' },
  { in: 'engine/src/run', code: `// @ts-ignore\nexport const x = 1`, rule: 'typescript(ban-ts-comment)' },
  { in: 'engine/src/run', code: `${'export {}\n'.repeat(401)}`, rule: 'eslint(max-lines)' },
  { in: 'engine/src/run', code: functionOf('0\n'.repeat(61)), rule: 'eslint(max-lines-per-function)' },
  { in: 'engine/src/run', code: functionOf('if (x) return 1\n'.repeat(16)), rule: 'eslint(complexity)' },
  { in: 'engine/src/run', code: functionOf('if (x) {'.repeat(4) + '}'.repeat(4)), rule: 'eslint(max-depth)' },
  { in: 'engine/src/run', name: 'BadName', code: `export {}`, rule: 'unicorn(filename-case)' },
  { in: 'engine/src/run', code: `Promise.resolve(1)`, rule: 'typescript(no-floating-promises)' },
  {
    in: 'engine/src/run',
    test: true,
    code: `import { it } from 'node:test'\nit('is awaited by the runner', () => {})`,
  },
].map((snippet, row) => ({ ...snippet, path: pathOf(snippet, row) }))

const FOLDERS = orderOfFolders()
const CIRCLE = [
  {
    path: 'engine/src/run/circle-a.ts',
    code: `import type { B } from './circle-b.js'\nexport interface A { readonly b: B }`,
  },
  {
    path: 'engine/src/run/circle-b.ts',
    code: `import type { A } from './circle-a.js'\nexport interface B { readonly a: A }`,
  },
]

describe('the lint rules', () => {
  let folder = ''
  /** Path of a snippet -> the rules that refused it. */
  const refused = new Map()
  /** Path of a snippet -> the lines of its imports that were refused. */
  const refusedLines = new Map()

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-lint-'))
    await layOut(folder)
    for (const { filename, code, labels } of await lint(folder)) {
      refused.set(filename, [...(refused.get(filename) ?? []), code])
      if (code !== IMPORTS) continue
      const lines = refusedLines.get(filename) ?? new Set()
      refusedLines.set(filename, lines.add(labels[0].span.line))
    }
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const snippet of SNIPPETS) {
    const [line] = snippet.code.split('\n', 1)
    const title = `${snippet.rule === undefined ? 'accepts' : 'refuses'} \`${line}\` in ${snippet.path}`
    it(title, () => {
      const rules = refused.get(snippet.path) ?? []
      if (snippet.rule === undefined) assert.deepEqual(rules, [])
      else assert.ok(rules.includes(snippet.rule), `refused by: ${rules.join(', ') || 'nothing'}`)
    })
  }

  for (const { path, refusedLines: expected } of FOLDERS) {
    it(`${path} imports types and values from the layers below it, and from nothing above or beside it`, () => {
      assert.deepEqual(
        [...(refusedLines.get(path) ?? [])].sort((a, b) => a - b),
        expected,
      )
    })
  }

  it('names to each folder the folders that it may import, and no other', async () => {
    const { overrides } = JSON.parse(await readFile(join(ROOT, '.oxlintrc.json'), 'utf8'))
    const messages = overrides
      .flatMap(({ rules }) => rules['no-restricted-imports']?.[1].patterns ?? [])
      .map(({ message }) => message)
    const names = LAYERS.map((layer) =>
      layer.flatMap(({ folder, files }) => files?.map((file) => `${folder}/${file}`) ?? [folder]),
    )
    for (const [level, layer] of LAYERS.entries()) {
      for (const { folder: name, files } of level === 0 ? [] : layer) {
        const below = names.slice(level + 1).flat()
        const allowed = below.length === 0 ? 'nothing else in engine/src' : `only ${below.join(', ')}`
        const importer = files?.map((file) => `${name}/${file}`).join(', ') ?? name
        assert.ok(
          messages.some((message) => message.startsWith(`${importer} imports ${allowed}: `)),
          importer,
        )
      }
    }
  })

  it('refuses a circle of files, types included', () => {
    const circle = [...refused].filter(([path]) => path.includes('circle-'))
    assert.deepEqual(
      circle.map(([, rules]) => rules),
      [['import(no-cycle)'], ['import(no-cycle)']],
    )
  })
})

/** One file in each folder of the engine that imports from every other folder; those above and beside it are refused. */
function orderOfFolders() {
  return LAYERS.flatMap((layer, level) =>
    layer.map((importer) => {
      const folder = dirname(placeOf(importer))
      const targets = LAYERS.flatMap((others, otherLevel) =>
        others.filter((other) => other !== importer).map((other) => ({ other, isRefused: otherLevel <= level })),
      )
      const lines = targets.map(({ other }, at) => {
        const path = relative(folder, placeOf(other)).replace(/ts$/, 'js')
        return `export type { X as X${at} } from '${path.startsWith('.') ? path : `./${path}`}'`
      })
      const refusedLines = targets.flatMap(({ isRefused }, at) => (isRefused ? [at + 1] : []))
      return { path: placeOf(importer), code: lines.join('\n'), refusedLines }
    }),
  )
}

/** A file of the entry. */
function placeOf({ folder, files: [file] = ['any-file.ts'] }) {
  return join('engine/src', folder.endsWith('.ts') ? folder : join(folder, file))
}

function pathOf(snippet, row) {
  return join(snippet.in, `${snippet.name ?? `snippet-${row}`}${snippet.test === true ? '.test' : ''}.ts`)
}

function functionOf(body) {
  return `export function f(x: unknown): unknown {\n${body}\nreturn x\n}\n`
}

async function layOut(folder) {
  await copyFile(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  await copyFile(join(ROOT, 'tsconfig.base.json'), join(folder, 'tsconfig.json'))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const { path, code } of [...SNIPPETS, ...FOLDERS, ...CIRCLE]) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), `${code}\n`)
  }
}

function lint(folder) {
  return new Promise((resolve, reject) => {
    // Exit code 1 is expected: most snippets are refused.
    execFile(
      OXLINT,
      ['--type-aware', '--format', 'json', '--allow', 'no-unused-vars', '--ignore-pattern', 'node_modules'],
      { cwd: folder, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout).diagnostics)
        } catch {
          reject(new Error(`oxlint did not print JSON: ${stdout}${stderr}`, { cause: error }))
        }
      },
    )
  })
}
