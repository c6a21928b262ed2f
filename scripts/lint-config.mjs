// Writes .oxlintrc.json, in which the walls between rooms repeat for each of them; `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { FLOORS, LIBRARIES, filesOf, pathsTo } from './engine-rooms.mjs'
import { ROOT, readJson } from './repository.mjs'

const PATH = '.oxlintrc.json'

const ONE_ROOM_EACH =
  'One room each: inversify in engine/src/run/node, yaml in engine/src/config, commander in engine/src/cli, hono in engine/src/api. Elsewhere: arguments, `inject`, declared metrics, the checked graph.'
const NOT_BY_PATH = {
  regex: '^(\\.\\./)+(engine|media|plugins|protocols|tui|[^./][^/]*/(src|dist))/|^@millrace/[^/]+(/[^/]+)*/(src|dist)/',
  message: 'Another package is reached through its `exports`, never by path.',
}
const TIME_FROM_CLOCK = 'Time comes from CLOCK (inject it): tests replace it, and its timers end with the node.'
const PLUGIN_MAY_IMPORT =
  'A plugin imports @millrace/engine/plugin, @millrace/media/* and the protocol it speaks: what third-party authors have. Never another plugin: what two need moves to media or engine.'
const PLUGIN_TEST_MAY_IMPORT =
  'A plugin imports @millrace/engine/plugin, @millrace/media/* and the protocol it speaks (its tests @millrace/engine/testing too): what third-party authors have. Never another plugin: what two need moves to media or engine.'

/** Operators of RxJS that queue. */
const QUEUES = [
  ...['observeOn', 'delay', 'delayWhen', 'concatMap', 'concatMapTo', 'concatAll', 'mergeMap', 'mergeMapTo', 'mergeAll'],
  ...['mergeScan', 'flatMap', 'buffer', 'bufferCount', 'bufferTime', 'bufferToggle', 'bufferWhen', 'subscribeOn'],
]
/** Those that have timers of their own. */
const TIMERS = [
  ...['timer', 'interval', 'debounceTime', 'throttleTime', 'auditTime', 'sampleTime', 'timeout'],
  ...['asyncScheduler', 'asapScheduler', 'animationFrameScheduler'],
]

const NO_SPAWNING = {
  group: ['node:child_process', 'child_process', 'node:cluster', 'node:worker_threads'],
  message: 'A plugin never spawns: processes belong to the engine, which ends them with the node.',
}
const NO_TIMERS = { group: ['node:timers', 'node:timers/**'], message: TIME_FROM_CLOCK }

const ENGINE_MAY_IMPORT = {
  group: ['@millrace/*', '@millrace/*/**', '!@millrace/media/*'],
  message:
    'The engine finds plugins and the dashboard by name at run time, and names its own files by relative path; of ours it imports @millrace/media/* only.',
}
/** What is behind it changes without notice, and is not what another copy of RxJS has. */
const RXJS_ENTRY = { group: ['rxjs/**'], message: 'Import from `rxjs`, its one entry point.' }
const NO_TEST_CODE = {
  regex: '\\.test\\.kit\\.js$|^(\\.\\./)+testing/',
  message: 'Only tests import test kits and engine/src/testing.',
}

const ROOMS = FLOORS.flatMap((floor, index) => {
  const above = FLOORS.slice(0, index).flat()
  return floor.map((room) => ({ ...room, forbidden: [...above, ...floor.filter((other) => other !== room)] }))
})

if (process.argv.includes('--check')) {
  if ((await render()) !== readFileSync(join(ROOT, PATH), 'utf8')) {
    console.error(`${PATH} is stale: run \`node scripts/lint-config.mjs\``)
    process.exit(1)
  }
} else writeFileSync(join(ROOT, PATH), await render())

async function render() {
  return format(JSON.stringify(config()), { ...readJson('.prettierrc.json'), parser: 'json' })
}

function config() {
  return {
    $schema: './node_modules/oxlint/configuration_schema.json',
    plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import'],
    env: { builtin: true, node: true },
    categories: { correctness: 'error' },
    ignorePatterns: ['**/dist/**', 'pipelines/**', 'test/fixtures/**', 'test/golden/**'],
    options: { reportUnusedDisableDirectives: 'error' },
    rules: rules(),
    // Of several that match a file the last one holds, for each rule as a whole.
    overrides: [
      media(),
      protocols(),
      { files: ['engine/src/**'], rules: imports([ENGINE_MAY_IMPORT, RXJS_ENTRY, libraries(), NOT_BY_PATH]) },
      // The rooms with files of their own come last: they are part of the folder of another.
      ...[...ROOMS].sort((a, b) => Number(a.files !== undefined) - Number(b.files !== undefined)).map(engineRoom),
      { files: ['engine/src/cli/**'], rules: { 'no-console': 'off' } },
      ...plugins(),
      tui(),
      {
        files: ['**/*.test.*', 'test/**'],
        rules: {
          'max-lines': ['error', { max: 600 }],
          'max-lines-per-function': 'off',
          'no-restricted-globals': 'off',
        },
      },
      ...testsOfRooms(),
      { files: ['scripts/**', 'test/bench/**'], rules: { 'no-console': 'off' } },
    ],
  }
}

function rules() {
  return {
    eqeqeq: 'error',
    'prefer-const': 'error',
    'no-var': 'error',
    'no-console': 'error',
    'max-lines': ['error', { max: 400 }],
    'max-lines-per-function': ['error', { max: 60 }],
    complexity: ['error', { max: 15 }],
    'max-depth': ['error', { max: 3 }],
    'typescript/no-explicit-any': 'error',
    'typescript/ban-ts-comment': [
      'error',
      { 'ts-ignore': true, 'ts-expect-error': true, 'ts-nocheck': true, 'ts-check': false },
    ],
    'typescript/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'separate-type-imports' }],
    'no-unused-vars': [
      'error',
      { args: 'after-used', ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
    ],
    'unicorn/no-useless-spread': 'off',
    'typescript/unbound-method': 'off',
    'typescript/no-redundant-type-constituents': 'off',
    'typescript/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] }],
      },
    ],
    'typescript/no-misused-promises': 'error',
    'typescript/only-throw-error': 'error',
    'import/no-default-export': 'error',
    // Types included: a circle of types is a circle of ideas.
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    ...imports([libraries(), NOT_BY_PATH]),
  }
}

function media() {
  const noClock = 'No clock in media: time comes in by argument.'
  const noIo = 'No I/O in media: bytes in, values out.'
  const clocks = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance']
  const message =
    'media imports nothing but its own files: bytes only, no I/O, no timers, no packages, nothing of ours.'
  return {
    files: ['media/src/**'],
    rules: {
      ...imports([{ regex: '^[^.]', message }, NOT_BY_PATH]),
      'no-restricted-globals': [
        'error',
        ...clocks.map((name) => ({ name, message: noClock })),
        ...['process', 'fetch', 'Buffer', 'console'].map((name) => ({ name, message: noIo })),
      ],
    },
  }
}

function protocols() {
  return {
    files: ['protocols/*/src/**'],
    rules: imports([
      {
        group: ['@millrace/*', '@millrace/*/**', '!@millrace/media/*'],
        message: 'A protocol imports @millrace/media/* only: its transport is handed in.',
      },
      {
        group: ['rxjs', 'rxjs/**'],
        message: 'A protocol is plain classes over a transport; RxJS is the wiring of nodes.',
      },
      libraries(),
      NOT_BY_PATH,
    ]),
  }
}

function engineRoom(room) {
  return {
    files: filesOf(room),
    rules: imports([ENGINE_MAY_IMPORT, RXJS_ENTRY, libraries(room.libraries), NOT_BY_PATH, NO_TEST_CODE, order(room)]),
  }
}

/** Refuses what stands above the room, and beside it. */
function order(room) {
  if (room.forbidden.length === 0) return undefined
  const below = ROOMS.filter((other) => other !== room && !room.forbidden.includes(other))
  const names = below.length === 0 ? 'no other room' : `only ${below.map(nameOf).join(', ')}`
  return {
    regex: room.forbidden.map((other) => pathsTo(other, room)).join('|'),
    message: `${nameOf(room)} imports ${names}: rooms know what is below them (scripts/engine-rooms.mjs).`,
  }
}

function nameOf({ room, files }) {
  return files === undefined ? room : files.map((file) => `${room}/${file}`).join(', ')
}

function plugins() {
  const only = {
    group: ['@millrace/*', '@millrace/*/**', '!@millrace/engine/plugin', '!@millrace/media/*'],
    message: PLUGIN_MAY_IMPORT,
  }
  const clock = 'Inject CLOCK: tests replace it, its timers end with the node.'
  return [
    {
      files: ['plugins/*/src/**'],
      rules: {
        ...imports([
          only,
          {
            group: ['rxjs'],
            importNames: QUEUES,
            message:
              'It queues without a bound: RxJS has no back-pressure. Call `hold()` on the inlet; the edge owns queue, bound and drops.',
          },
          { group: ['rxjs'], importNames: TIMERS, message: TIME_FROM_CLOCK },
          RXJS_ENTRY,
          NO_SPAWNING,
          NO_TIMERS,
          libraries(),
          NOT_BY_PATH,
        ]),
        'no-restricted-globals': [
          'error',
          { name: 'setTimeout', message: clock },
          { name: 'setInterval', message: clock },
        ],
      },
    },
    { files: ['plugins/*/src/index.ts', 'examples/*/index.js'], rules: { 'import/no-default-export': 'off' } },
  ]
}

function tui() {
  const message =
    'The dashboard is a client of the control API in a process of its own: it imports the types of @millrace/engine/api only.'
  return {
    files: ['tui/src/**'],
    rules: imports([
      { group: ['@millrace/*', '@millrace/*/**', '!@millrace/engine/api'], message },
      libraries(),
      NOT_BY_PATH,
    ]),
  }
}

/** Tests and their kits put rooms together as they like; what other packages may be used stays as it is. */
function testsOfRooms() {
  return [
    {
      files: ['engine/src/**/*.test.*', 'engine/src/testing/**'],
      rules: imports([ENGINE_MAY_IMPORT, RXJS_ENTRY, libraries(), NOT_BY_PATH]),
    },
    {
      files: ['engine/src/config/**/*.test.*'],
      rules: imports([ENGINE_MAY_IMPORT, RXJS_ENTRY, libraries(['yaml']), NOT_BY_PATH]),
    },
    {
      files: ['media/src/**/*.test.*'],
      rules: imports([
        {
          group: ['@millrace/*', '@millrace/*/**'],
          message: 'media imports nothing of ours, its tests neither: the engine is built on top of it.',
        },
        { group: ['rxjs', 'rxjs/**'], message: 'media knows no RxJS.' },
        libraries(),
        NOT_BY_PATH,
      ]),
    },
    {
      files: ['plugins/*/src/**/*.test.*'],
      rules: imports([
        {
          group: [
            '@millrace/*',
            '@millrace/*/**',
            '!@millrace/engine/plugin',
            '!@millrace/media/*',
            '!@millrace/engine/testing',
          ],
          message: PLUGIN_TEST_MAY_IMPORT,
        },
        libraries(),
        NOT_BY_PATH,
      ]),
    },
  ]
}

function imports(patterns) {
  return { 'no-restricted-imports': ['error', { patterns: patterns.filter((pattern) => pattern !== undefined) }] }
}

/** Refuses all libraries that have a room, but those that this room may import. */
function libraries(allowed = []) {
  const others = LIBRARIES.filter((name) => !allowed.includes(name))
  return { regex: `^(${others.join('|')})(/|$)`, message: ONE_ROOM_EACH }
}
