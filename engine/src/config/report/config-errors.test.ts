// Every code of the table is produced by a file, at the place where the mistake is.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { basename } from 'node:path'
import { configError } from './config-errors.js'
import { loadFiles, pipelineWith } from '../example-config.test.js'
import { GRAPH_MISTAKES } from './graph-mistakes.test.kit.js'
import { GOOD_OUTPUT, one, TEXT_MISTAKES } from './text-mistakes.test.kit.js'
import type { Mistake } from './text-mistakes.test.kit.js'

const WITH_TLS = pipelineWith({}).replace(':8000"', ':8000", tls: { cert: kex.pem, key: key.pem }')

const MISTAKES: readonly Mistake[] = [
  ...TEXT_MISTAKES,
  ...GRAPH_MISTAKES,
  { name: 'no version', files: one(pipelineWith({}).replace('version: 1\n', '')), found: ['CONFIG_VERSION a:1:1'] },
  {
    name: 'another version',
    files: one(pipelineWith({}).replace('version: 1', 'version: 2')),
    found: ['CONFIG_VERSION a:1:10'],
  },
  { name: 'an empty file', files: one(''), found: ['CONFIG_VERSION a:1:1', 'CONFIG_EMPTY a:1:1'] },
  {
    name: 'an unknown section',
    files: one(pipelineWith({ top: 'pipeline: {}' })),
    found: ['CONFIG_UNKNOWN_KEY a:3:1'],
    help: /did you mean "pipelines"/,
  },
  {
    name: 'a section that does not exist',
    files: one(pipelineWith({ top: 'nodes: {}' })),
    found: ['CONFIG_UNKNOWN_KEY a:3:1'],
  },
  {
    name: 'an unknown option',
    files: one(pipelineWith({ transforms: 'g: { type: gop, from: main, maxDurtion: 2s }' })),
    found: ['CONFIG_UNKNOWN_KEY a:8:35'],
    help: /did you mean "maxDuration"/,
  },
  {
    name: 'an engine key on the wrong kind of node',
    files: one(pipelineWith({ transforms: 'g: { type: gop, from: main, batch: 20ms, enabled: true }' })),
    found: ['CONFIG_UNKNOWN_KEY a:8:35', 'CONFIG_UNKNOWN_KEY a:8:48'],
  },
  {
    name: 'an unknown option in a group',
    files: one(pipelineWith({ outputs: 'ts: { type: http-ts, from: main, path: /a, window: { sise: 1MiB } }' })),
    found: ['CONFIG_UNKNOWN_KEY a:8:60'],
    help: /did you mean "size"/,
  },
  {
    name: 'a key that reaches for the prototype',
    files: one(pipelineWith({ top: '__proto__: { a: 1 }' })),
    found: ['CONFIG_UNKNOWN_KEY a:3:1'],
  },
  {
    name: 'a missing option',
    files: one(pipelineWith({ outputs: 'ts: { type: http-ts, from: main }' })),
    found: ['CONFIG_MISSING_KEY a:8:7'],
    message: /output "ts" needs "path"/,
    help: /Path of the URL/,
  },
  { name: 'no type', files: one(pipelineWith({ outputs: 'ts: { from: main }' })), found: ['CONFIG_MISSING_KEY a:8:7'] },
  {
    name: 'no from',
    files: one(pipelineWith({ outputs: 'a: { type: hls }\nb: { type: hls, from: [] }\nc: { type: hls, from: }' })),
    found: ['CONFIG_MISSING_KEY a:8:7', 'CONFIG_MISSING_KEY a:9:23', 'CONFIG_MISSING_KEY a:10:23'],
  },
  {
    name: 'values of the wrong type',
    files: one(
      pipelineWith({
        transforms: 'g: { type: gop, from: main, maxDuration: 5 }',
        top: 'engine: { maxClients: many, log: loud }',
      }),
    ),
    found: ['CONFIG_WRONG_TYPE a:3:23', 'CONFIG_WRONG_TYPE a:3:34', 'CONFIG_WRONG_TYPE a:9:48'],
  },
  {
    name: 'a section that is not a map',
    files: one('version: 1\npipelines: [a]\n'),
    found: ['CONFIG_WRONG_TYPE a:2:1'],
  },
  {
    name: 'a value that is too small',
    files: one(pipelineWith({ transforms: 'g: { type: gop, from: main, maxDuration: 500ms }' })),
    found: ['CONFIG_OUT_OF_RANGE a:8:48'],
    message: /must be at least 1s/,
  },
  {
    name: 'a list with too few entries',
    files: one(pipelineWith({ top: 'auth:\n  both: { type: all, of: [] }' })),
    found: ['CONFIG_OUT_OF_RANGE a:4:22'],
    message: /"of" of auth "both" must have at least 1 entry/,
  },
  {
    name: 'a mistake in the branch of a union that was meant',
    files: one(pipelineWith({}).replace('path: a.ts', 'path: a.ts, mirrors: [ { at: b, weight: 11 }, "http://c", 7 ]')),
    found: ['CONFIG_OUT_OF_RANGE a:6:67', 'CONFIG_WRONG_TYPE a:6:85'],
  },
  {
    name: 'a word that is not allowed',
    files: one(pipelineWith({}).replace('path: a.ts', 'path: a.ts, pace: prc')),
    found: ['CONFIG_WRONG_VALUE a:6:45'],
    help: /did you mean "pcr"/,
  },
  {
    name: 'bad ids',
    files: one(pipelineWith({ outputs: 'mainTs: { type: http-ts, from: main, path: /a }' })),
    found: ['CONFIG_BAD_ID a:8:7'],
    help: /"main-ts"/,
  },
  {
    name: 'a pipeline called services',
    files: one(pipelineWith({}).replace('one:', 'services:')),
    found: ['CONFIG_BAD_ID a:4:3'],
  },
  {
    name: 'an id in two sections',
    files: one(pipelineWith({ transforms: 'main: { type: gop, from: main }' })),
    found: ['CONFIG_DUPLICATE_ID a:8:7'],
    message: /already used at .*a:6:7/,
  },
  {
    name: 'a pipeline in two files, and two engine sections',
    files: { a: pipelineWith({ top: 'engine: {}' }), b: pipelineWith({ top: 'engine: {}' }) },
    found: ['CONFIG_DUPLICATE_ID b:2:14', 'CONFIG_DUPLICATE_SECTION b:3:1', 'CONFIG_DUPLICATE_ID b:5:3'],
  },
  {
    name: 'two addresses for the control API',
    files: one(
      pipelineWith({ top: 'engine: { api: { address: "127.0.0.1:1" } }' }).replace(
        'web:',
        'api: { address: "127.0.0.1:2" }, web:',
      ),
    ),
    found: ['CONFIG_DUPLICATE_ID a:3:27'],
  },
  { name: 'no pipeline', files: one('version: 1\npipelines:\n'), found: ['CONFIG_EMPTY a:2:1'] },
  {
    name: 'a pipeline without nodes',
    files: one('version: 1\npipelines: { a: { inputs: } }\n'),
    found: ['CONFIG_EMPTY a:2:14'],
  },
  {
    name: 'an unknown listener, named and by default',
    files: one(
      pipelineWith({
        outputs:
          'a: { type: http-ts, from: main, path: /a, listener: wob }\nb: { type: http-ts, from: main, path: /b }',
      }).replace('web:', 'wab:'),
    ),
    found: ['CONFIG_UNKNOWN_LISTENER a:8:59', 'CONFIG_UNKNOWN_LISTENER a:9:7'],
    help: /did you mean "wab"/,
  },
  {
    name: 'a listener of another protocol',
    files: one(
      pipelineWith({
        transforms: 'g: { type: gop, from: main }',
        outputs: 'a: { type: hls, from: g, relay: web }',
      }),
    ),
    found: ['CONFIG_WRONG_LISTENER a:10:39'],
    help: /add one under listeners/,
  },
  {
    name: 'auth providers that do not exist, or combine each other',
    files: one(
      pipelineWith({
        top: 'auth:\n  viewers: { type: basic, users: { anna: pw } }\n  both: { type: all, of: [viewers, bth] }\n  loop: { type: all, of: [both] }',
        outputs:
          'a: { type: http-ts, from: main, path: /a, auth: [viewers, ofice] }\nb: { type: http-ts, from: main, path: /b, auth: viewer }',
      }),
    ),
    found: [
      'CONFIG_SECRET_PLAIN a:4:42',
      'CONFIG_UNKNOWN_AUTH a:5:36',
      'CONFIG_UNKNOWN_AUTH a:12:65',
      'CONFIG_UNKNOWN_AUTH a:13:55',
      'CONFIG_WRONG_VALUE a:6:27',
    ],
    help: /did you mean "viewers"/,
  },
  {
    name: 'auth providers that admit no viewers, and mistakes in what they admit to',
    files: one(
      pipelineWith({
        top: [
          'auth:',
          '  encoders: { type: basic, users: { enc: pw }, actions: [publish] }',
          '  studio: { type: ip, allow: [10.0.0.0/8], actions: [read, publish] }',
          '  both: { type: all, of: [studio, encoders] }',
          '  odd: { type: ip, allow: [10.0.0.0/8], actions: [write], protocols: [HTTP] }',
        ].join('\n'),
        outputs:
          'a: { type: http-ts, from: main, path: /a, auth: [studio, encoders] }\nb: { type: http-ts, from: main, path: /b, auth: both }',
      }),
    ),
    found: [
      'CONFIG_AUTH_ACTION a:13:64',
      'CONFIG_AUTH_ACTION a:14:55',
      'CONFIG_SECRET_PLAIN a:4:42',
      'CONFIG_WRONG_VALUE a:7:51',
      'CONFIG_WRONG_VALUE a:7:71',
    ],
    help: /add read to the actions of "encoders"/,
  },
  {
    name: 'mistakes in auth providers',
    files: one(
      pipelineWith({
        outputs: GOOD_OUTPUT,
        top: [
          'auth:',
          '  a: { users: { b: c } }',
          '  b: { type: basc, users: { b: c } }',
          '  c: { type: basic, users: { "b:c": d } }',
          '  d: { type: basic, users: { b: "$scrypt$oops" } }',
          '  e: { type: bearer, tokens: [ "a b" ] }',
          '  f: { type: signed, keys: { one: short } }',
          '  g: { type: ip, allow: [ 10.0.0.0/33 ] }',
          '  h: { type: ip }',
          '  i: { type: token, tokens: [], tokn: 1 }',
        ].join('\n'),
      }),
    ),
    found: [
      'CONFIG_MISSING_KEY a:4:3',
      'CONFIG_SECRET_PLAIN a:6:37',
      'CONFIG_SECRET_PLAIN a:9:35',
      'CONFIG_WRONG_VALUE a:5:14',
      'CONFIG_WRONG_VALUE a:6:21',
      'CONFIG_WRONG_VALUE a:7:33',
      'CONFIG_WRONG_VALUE a:8:32',
      'CONFIG_WRONG_VALUE a:9:35',
      'CONFIG_WRONG_VALUE a:10:27',
      'CONFIG_WRONG_VALUE a:11:3',
      'CONFIG_UNKNOWN_KEY a:12:33',
      'CONFIG_WRONG_VALUE a:12:21',
    ],
    help: /did you mean "basic"/,
  },
  {
    name: 'mistakes in included files',
    files: {
      a: pipelineWith({ top: 'include: [gone, ., more/b, "no*", "*/x", 5]' }),
      'more/b': 'include: [../a]\n',
    },
    run: ['a'],
    found: [
      'CONFIG_UNREADABLE a:3:11',
      'CONFIG_UNREADABLE a:3:17',
      'CONFIG_INCLUDE_CYCLE b:1:11',
      'CONFIG_INCLUDE_UNMATCHED a:3:28',
      'CONFIG_INCLUDE a:3:35',
      'CONFIG_WRONG_TYPE a:3:42',
    ],
    message: /includes itself: .*a -> .*more\/b -> .*a$/,
  },
  {
    name: 'mistakes in templates and their uses',
    files: one(
      [
        'version: 1',
        'templates:',
        '  t:',
        '    parameters: { file: {}, spare: 1 }',
        '    inputs: { main: { type: file, path: "${param:file}${param:flie}", pace: "${param:file}" } }',
        'pipelines:',
        '  one: { template: t }',
        '  two: { template: tt }',
        '  three: { template: t, with: { file: pcr, fil: x } }',
        '  four: { with: {}, inputs: { main: { type: file, path: "${param:file}" } } }',
        '',
      ].join('\n'),
    ),
    found: [
      'CONFIG_UNUSED_PARAMETER a:4:29',
      'CONFIG_UNKNOWN_PARAMETER a:5:55',
      'CONFIG_MISSING_PARAMETER a:7:3',
      'CONFIG_UNKNOWN_TEMPLATE a:8:20',
      'CONFIG_UNKNOWN_PARAMETER a:9:44',
      'CONFIG_MISSING_KEY a:10:11',
      'CONFIG_INTERPOLATION a:10:58',
    ],
    help: /did you mean "file"/,
  },
  {
    name: 'a former id that cannot be right',
    files: one(
      pipelineWith({
        outputs: [
          'a: { type: http-ts, from: main, path: /a, was: main }',
          'b: { type: http-ts, from: main, path: /b, was: x }',
          'c: { type: http-ts, from: main, path: /c, was: x }',
          'd: { type: http-ts, from: main, path: /d, was: d }',
          'e: { type: http-ts, from: main, path: /e, was: A/b }',
        ].join('\n'),
      }),
    ),
    found: ['CONFIG_WAS a:8:54', 'CONFIG_WAS a:10:54', 'CONFIG_WAS a:11:54', 'CONFIG_WRONG_VALUE a:12:54'],
  },
  {
    name: 'a certificate that is not there',
    files: { ...one(WITH_TLS), 'key.pem': '' },
    run: ['a'],
    options: { ignoresMissingFiles: false },
    found: ['CONFIG_MISSING_FILE a:2:61'],
    help: /did you mean "key.pem"/,
    message: /"tls.cert" of listener "web" names .*kex.pem, which does not exist/,
  },
  {
    name: 'a folder where a certificate is needed',
    files: { ...one(WITH_TLS.replace('kex.pem', './.')), 'key.pem': '' },
    run: ['a'],
    options: { ignoresMissingFiles: false },
    found: ['CONFIG_FILE_KIND a:2:61'],
    help: /add the name of the file/,
    message: /"tls.cert" of listener "web" names the folder .*, but a file is needed/,
  },
  {
    name: 'a certificate that is not there, checked elsewhere',
    files: one(WITH_TLS),
    options: { noEnv: true, ignoresMissingFiles: undefined },
    found: [],
    good: true,
  },
  {
    name: 'a program that is not there, and one that cannot do what is needed',
    files: one(
      pipelineWith({
        transforms:
          'a: { type: filter, from: main, program: no-such-program }\nb: { type: filter, from: main, program: sh }',
        outputs: GOOD_OUTPUT,
      }),
    ),
    found: ['CONFIG_MISSING_PROGRAM a:8:7', 'CONFIG_UNFIT_PROGRAM a:9:7'],
    options: { ignoresMissingFiles: false },
    help: /apt-get install it/,
  },
  {
    name: 'nothing where text is needed',
    files: one(pipelineWith({ outputs: 'ts: { type: http-ts, from: main, path: ~ }' })),
    found: ['CONFIG_WRONG_TYPE a:8:40'],
    help: /there is no value here/,
  },
]

const produced = new Set<string>()

for (const { name, files, found, help, message, run, env = {}, options = {}, good = false } of MISTAKES) {
  test(`${name} is reported where it is`, async () => {
    const { graph, diagnostics } = await loadFiles(files, run ?? Object.keys(files), { env, ...options })
    assert.equal(graph !== undefined, good)
    const places = diagnostics.map((d) => `${d.code} ${basename(d.file)}:${d.line}:${d.column}`)
    if (found.length === 1 && !found[0]?.includes(' ')) assert.ok(diagnostics.some(({ code }) => code === found[0]))
    else assert.deepEqual([...places].sort(), [...found].sort())
    if (help !== undefined)
      assert.ok(
        diagnostics.some((d) => help.test(d.help)),
        diagnostics[0]?.help,
      )
    if (message !== undefined)
      assert.ok(
        diagnostics.some((d) => message.test(d.message)),
        diagnostics[0]?.message,
      )
    for (const diagnostic of diagnostics) {
      produced.add(diagnostic.code)
      assert.ok(diagnostic.help !== '' && diagnostic.endColumn > diagnostic.column)
    }
  })
}

after(() => {
  const missing = Object.keys(configError.table).filter((code) => !produced.has(code))
  assert.deepEqual(missing, [], 'every code of the table is produced by a row above')
})
