// Writes .oxlintrc.json, in which each folder of the engine has import rules of its own; `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { LAYERS, LIBRARIES, filesOf, pathsTo } from './engine-layers.mjs'
import { ROOT, readJson } from './repository.mjs'

const PATH = '.oxlintrc.json'

const ONE_FOLDER_EACH =
  'One folder each: inversify in engine/src/compose, yaml in engine/src/config, commander in engine/src/cli, hono in engine/src/api, prom-client in engine/src/observe, sonic-boom in engine/src/access, execa in engine/src/processes. Elsewhere: arguments, `inject`, declared metrics, the checked graph.'
const NOT_BY_PATH = {
  regex: '^(\\.\\./)+(engine|media|plugins|protocols|tui|[^./][^/]*/(src|dist))/|^@millrace/[^/]+(/[^/]+)*/(src|dist)/',
  message: 'Another package is reached through its `exports`, never by path.',
}
const TIME_FROM_CLOCK = 'Time comes from CLOCK (inject it): tests replace it, and its timers end with the node.'
const PLUGIN_MAY_IMPORT =
  'A plugin imports @millrace/engine/plugin, @millrace/media/* and the protocol it speaks: what third-party authors have. Never another plugin: what two need moves to media or engine.'
const PLUGIN_TEST_MAY_IMPORT =
  'A plugin imports @millrace/engine/plugin, @millrace/media/* and the protocol it speaks (its tests @millrace/engine/testing too): what third-party authors have. Never another plugin: what two need moves to media or engine.'

/** Packages in `protocols/`; plugins whose names end with it speak it. */
const PROTOCOLS = ['rtmp', 'srt']

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
  group: ['node:child_process', 'child_process', 'node:cluster', 'node:worker_threads', 'execa'],
  message:
    'A plugin never spawns. Inject PROCESSES: the engine ends its processes with the node, and when it is killed.',
}
const SOCKETS_OF_NODE =
  'Inject SOCKETS: the engine counts sockets, runs their callbacks in the scope of the node, and closes what a node leaves open.'
/** Functions and classes that open sockets; the rest of these modules are pure functions and types. */
const NO_SOCKETS = [
  { group: ['node:dgram', 'dgram', 'net', 'tls', 'node:http2', 'http2'], message: SOCKETS_OF_NODE },
  {
    group: ['node:net'],
    importNames: ['default', 'connect', 'createConnection', 'createServer', 'Server', 'Stream', 'Socket'],
    message: SOCKETS_OF_NODE,
  },
  {
    group: ['node:tls'],
    importNames: ['default', 'connect', 'createServer', 'Server', 'TLSSocket'],
    message: SOCKETS_OF_NODE,
  },
]
/** No import: rules about imports do not see a static method. */
const NO_SOCKETS_OF_PROTOCOLS = {
  object: 'SrtSocket',
  property: 'open',
  message: `${SOCKETS_OF_NODE} SrtSocket.over(await SocketsPort.open(sockets, host), ...) uses them.`,
}
const NO_TIMERS = { group: ['node:timers', 'node:timers/**'], message: TIME_FROM_CLOCK }

const ENGINE_MAY_IMPORT = {
  group: ['@millrace/*', '@millrace/*/**', '!@millrace/media/*'],
  message:
    'The engine finds plugins and the dashboard by name at run time, and names its own files by relative path; the only other packages of Millrace that it imports are @millrace/media/*.',
}
/** Its internal modules change without notice, and belong to one copy of RxJS alone. */
const RXJS_ENTRY = { group: ['rxjs/**'], message: 'Import from `rxjs`, its one entry point.' }
const NO_TEST_CODE = {
  regex: '\\.test\\.kit\\.js$|^(\\.\\./)+testing/',
  message: 'Only tests import test kits and engine/src/testing.',
}

const FOLDERS = LAYERS.flatMap((layer, index) => {
  const above = LAYERS.slice(0, index).flat()
  const below = LAYERS.slice(index + 1).flat()
  return layer.map((entry) => ({ ...entry, below, forbidden: [...above, ...layer.filter((other) => other !== entry)] }))
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
    // If several overrides match a file, the last one that sets a rule replaces the rule as a whole.
    overrides: [
      media(),
      ...protocols(),
      { files: ['engine/src/**'], rules: imports([ENGINE_MAY_IMPORT, RXJS_ENTRY, libraries(), NOT_BY_PATH]) },
      // Entries that name files are last: these files also match the entry of their folder.
      ...[...FOLDERS].sort((a, b) => Number(a.files !== undefined) - Number(b.files !== undefined)).map(engineFolder),
      { files: ['engine/src/cli/**'], rules: { 'no-console': 'off' } },
      ...plugins(),
      tui(),
      ...statusPage(),
      {
        files: ['**/*.test.*', 'test/**'],
        rules: {
          'max-lines': ['error', { max: 600 }],
          'max-lines-per-function': 'off',
          'no-restricted-globals': 'off',
          'no-restricted-properties': 'off',
        },
      },
      ...testsOfFolders(),
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
    // Imports of types count: types that depend on each other in a circle cannot be understood one by one.
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    ...imports([libraries(), NOT_BY_PATH]),
  }
}

function media() {
  const noClock = 'No clock in media: the time is an argument.'
  const noIo = 'No I/O in media: bytes in, values out.'
  const clocks = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance']
  const message = 'media imports nothing but its own files: bytes only, no I/O, no timers, no packages.'
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

/** A protocol has a core, which does no I/O, and its transport in `io/`. */
function protocols() {
  const noIo =
    'The core of a protocol does no I/O: datagrams and time go in, datagrams, events and the next deadline come out.'
  const patterns = [
    {
      group: ['@millrace/*', '@millrace/*/**', '!@millrace/media/*'],
      message: 'A protocol imports @millrace/media/* only: its transport is an argument.',
    },
    {
      group: ['rxjs', 'rxjs/**'],
      message: 'A protocol is plain classes over a transport; RxJS is the wiring of nodes.',
    },
    libraries(),
    NOT_BY_PATH,
  ]
  const modules = ['dgram', 'net', 'tls', 'http', 'http2', 'fs', 'timers', 'worker_threads', 'child_process', 'os']
  const core = [
    { group: ['node:*', 'node:*/**', '!node:crypto', ...modules, 'timers/**'], message: noIo },
    { regex: '^(\\./|(\\.\\./)+)io/', message: noIo },
  ]
  const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'Date']
  return [
    {
      files: ['protocols/*/src/**'],
      rules: {
        ...imports([...core, ...patterns]),
        'no-restricted-globals': [
          'error',
          ...[...timers, 'process', 'fetch', 'console'].map((name) => ({ name, message: noIo })),
        ],
      },
    },
    { files: ['protocols/*/src/io/**'], rules: { ...imports(patterns), 'no-restricted-globals': 'off' } },
  ]
}

function engineFolder(entry) {
  return {
    files: filesOf(entry),
    rules: imports([
      ENGINE_MAY_IMPORT,
      RXJS_ENTRY,
      libraries(entry.libraries),
      NOT_BY_PATH,
      NO_TEST_CODE,
      order(entry),
    ]),
  }
}

/** Refuses imports from layers above, and from other folders of the same layer. */
function order(entry) {
  const { below, forbidden } = entry
  if (forbidden.length === 0) return undefined
  const names = below.length === 0 ? 'nothing else in engine/src' : `only ${below.map(nameOf).join(', ')}`
  return {
    regex: forbidden.map((other) => pathsTo(other, entry)).join('|'),
    message: `${nameOf(entry)} imports ${names}: imports point to lower layers (scripts/engine-layers.mjs).`,
  }
}

function nameOf({ folder, files }) {
  return files === undefined ? folder : files.map((file) => `${folder}/${file}`).join(', ')
}

function plugins() {
  const only = pluginImports([], PLUGIN_MAY_IMPORT)
  const clock = 'Inject CLOCK: tests replace it, its timers end with the node.'
  const patterns = [
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
  ]
  const speaking = PROTOCOLS.map((name) => ({
    files: [`plugins/*-${name}/src/**`],
    rules: imports([pluginImports([name], PLUGIN_MAY_IMPORT), ...patterns.slice(1), ...NO_SOCKETS]),
  }))
  return [
    {
      files: ['plugins/*/src/**'],
      rules: {
        ...imports([...patterns, ...NO_SOCKETS]),
        'no-restricted-globals': [
          'error',
          { name: 'setTimeout', message: clock },
          { name: 'setInterval', message: clock },
        ],
        'no-restricted-properties': ['error', NO_SOCKETS_OF_PROTOCOLS],
      },
    },
    ...speaking,
    // It waits for the descriptor of a named pipe, which Node reads with a socket. It opens no connection.
    { files: ['plugins/input-file/src/pipe-reader.ts'], rules: imports(patterns) },
    // A redirect may not lead to an internal address: it checks each address that it connects to, which SOCKETS does not.
    { files: ['dial', 'http-exchange'].map((name) => `plugins/input-http/src/${name}.ts`), rules: imports(patterns) },
    { files: ['plugins/*/src/index.ts', 'examples/*/index.js'], rules: { 'import/no-default-export': 'off' } },
  ]
}

function tui() {
  const message =
    'The dashboard is a client of the control API in a process of its own: it imports the types of @millrace/engine/api, and @millrace/engine/model, which is pure.'
  return {
    files: ['tui/src/**'],
    rules: imports([
      { group: ['@millrace/*', '@millrace/*/**', '!@millrace/engine/api', '!@millrace/engine/model'], message },
      libraries(),
      NOT_BY_PATH,
    ]),
  }
}

/** Modules of the browser, and the model that they share with the terminal: their own files and nothing else. */
function statusPage() {
  const message = 'The status page runs in the browser: it imports its own files by relative path and nothing else.'
  const noDom = 'The model is in use in the terminal and in the browser: no I/O, no timers, no page.'
  const restricted = ['fetch', 'setTimeout', 'setInterval', 'process', 'Buffer', 'console'].map((name) => ({
    name,
    message: noDom,
  }))
  return [
    { files: ['engine/page/**'], rules: imports([{ regex: '^[^.]', message }, NOT_BY_PATH]) },
    { files: ['engine/page/model/**'], rules: { 'no-restricted-globals': ['error', ...restricted] } },
  ]
}

/** Tests and their kits may import from every folder; the rules about other packages stay the same. */
function testsOfFolders() {
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
          message: 'media and its tests import no other Millrace package: the engine is built on top of media.',
        },
        { group: ['rxjs', 'rxjs/**'], message: 'media does not use RxJS.' },
        libraries(),
        NOT_BY_PATH,
      ]),
    },
    {
      files: ['protocols/*/src/**/*.test.*'],
      rules: imports([
        {
          group: ['@millrace/*', '@millrace/*/**', '!@millrace/media/*'],
          message: 'A protocol and its tests import @millrace/media/* only.',
        },
        libraries(),
        NOT_BY_PATH,
      ]),
    },
    {
      files: ['plugins/*/src/**/*.test.*'],
      rules: imports([
        pluginImports([], PLUGIN_TEST_MAY_IMPORT, '!@millrace/engine/testing'),
        libraries(),
        NOT_BY_PATH,
      ]),
    },
    ...PROTOCOLS.map((name) => ({
      files: [`plugins/*-${name}/src/**/*.test.*`],
      rules: imports([
        pluginImports([name], PLUGIN_TEST_MAY_IMPORT, '!@millrace/engine/testing'),
        libraries(),
        NOT_BY_PATH,
      ]),
    })),
  ]
}

/** What a plugin that speaks these protocols may import. */
function pluginImports(protocols, message, ...more) {
  const spoken = protocols.flatMap((name) => [`!@millrace/${name}`, `!@millrace/${name}/node`])
  const group = [
    '@millrace/*',
    '@millrace/*/**',
    '!@millrace/engine/plugin',
    '!@millrace/media/*',
    '!@millrace/media/mpegts/*',
    ...more,
    ...spoken,
  ]
  return { group, message }
}

function imports(patterns) {
  return { 'no-restricted-imports': ['error', { patterns: patterns.filter((pattern) => pattern !== undefined) }] }
}

/** Refuses all libraries that belong to one folder, except those that this folder may import. */
function libraries(allowed = []) {
  const others = LIBRARIES.filter((name) => !allowed.includes(name))
  return { regex: `^(${others.join('|')})(/|$)`, message: ONE_FOLDER_EACH }
}
