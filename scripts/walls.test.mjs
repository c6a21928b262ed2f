// Proof that the walls between the rooms bite: the lint configuration runs over snippets laid out like the repository,
// and each must be refused for its reason, or let through.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FLOORS } from './engine-rooms.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OXLINT = join(ROOT, 'node_modules/.bin/oxlint')

const IMPORTS = 'eslint(no-restricted-imports)'
const GLOBALS = 'eslint(no-restricted-globals)'

/** Room, what stands in a file there, and the rule that refuses it; without a rule it must pass. */
const WALLS = [
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

  { in: 'protocols/srt/src', code: `import '@millrace/engine/plugin'`, rule: IMPORTS },
  { in: 'protocols/srt/src', code: `import '@millrace/media/mpegts'` },

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
  { in: 'engine/src/run/node', code: `import 'inversify'` },
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
  { in: 'plugins/input-file/src', code: `setInterval(() => {}, 1)`, rule: GLOBALS },
  { in: 'plugins/input-file/src', code: `import '@millrace/engine/plugin'` },
  { in: 'plugins/input-file/src', code: `import '@millrace/media/mpegts'` },
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
].map((wall, row) => ({ ...wall, path: pathOf(wall, row) }))

const ROOMS = orderOfRooms()
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

describe('the walls between rooms', () => {
  let folder = ''
  /** Path of a snippet -> the rules that refused it. */
  const refused = new Map()
  /** Path of a snippet -> the lines of its imports that were refused. */
  const refusedLines = new Map()

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-walls-'))
    await layOut(folder)
    for (const { filename, code, labels } of await lint(folder)) {
      refused.set(filename, [...(refused.get(filename) ?? []), code])
      if (code !== IMPORTS) continue
      const lines = refusedLines.get(filename) ?? new Set()
      refusedLines.set(filename, lines.add(labels[0].span.line))
    }
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const wall of WALLS) {
    const [line] = wall.code.split('\n', 1)
    const title = `${wall.rule === undefined ? 'lets' : 'refuses'} \`${line}\` ${wall.rule === undefined ? 'stand in' : 'in'} ${wall.path}`
    it(title, () => {
      const rules = refused.get(wall.path) ?? []
      if (wall.rule === undefined) assert.deepEqual(rules, [])
      else assert.ok(rules.includes(wall.rule), `refused by: ${rules.join(', ') || 'nothing'}`)
    })
  }

  for (const { path, refusedLines: expected } of ROOMS) {
    it(`${path} imports types and values from the rooms below it, and from none above or beside it`, () => {
      assert.deepEqual(
        [...(refusedLines.get(path) ?? [])].sort((a, b) => a - b),
        expected,
      )
    })
  }

  it('refuses a circle of files, types included', () => {
    const circle = [...refused].filter(([path]) => path.includes('circle-'))
    assert.deepEqual(
      circle.map(([, rules]) => rules),
      [['import(no-cycle)'], ['import(no-cycle)']],
    )
  })
})

/** One file in each room of the engine that imports from every other room; those above and beside it are refused. */
function orderOfRooms() {
  return FLOORS.flatMap((floor, level) =>
    floor.map((importer) => {
      const folder = dirname(placeOf(importer))
      const targets = FLOORS.flatMap((others, otherLevel) =>
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

/** A file of the room. */
function placeOf({ room, files: [file] = ['any-file.ts'] }) {
  return join('engine/src', room.endsWith('.ts') ? room : join(room, file))
}

function pathOf(wall, row) {
  return join(wall.in, `${wall.name ?? `snippet-${row}`}${wall.test === true ? '.test' : ''}.ts`)
}

function functionOf(body) {
  return `export function f(x: unknown): unknown {\n${body}\nreturn x\n}\n`
}

async function layOut(folder) {
  await copyFile(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  await copyFile(join(ROOT, 'tsconfig.base.json'), join(folder, 'tsconfig.json'))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const { path, code } of [...WALLS, ...ROOMS, ...CIRCLE]) {
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
          reject(new Error(`oxlint did not answer in JSON: ${stdout}${stderr}`, { cause: error }))
        }
      },
    )
  })
}
