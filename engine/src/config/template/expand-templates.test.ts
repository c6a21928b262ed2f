import assert from 'node:assert/strict'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import type { Graph } from '../../graph/graph.js'
import { effectiveConfig } from '../effective-config.js'
import { loadFiles } from '../example-config.test.js'
import type { LoadOptions } from '../load-config.js'

const HEAD = ['version: 1', 'listeners: { web: { address: "127.0.0.1:8000" } }']
const TEMPLATE = [
  'templates:',
  '  channel:',
  '    parameters: { file: {}, path: { default: /x.ts }, window: { default: { duration: 5s } }, loop: false }',
  '    description: channel ${param:file}',
  '    inputs:',
  '      main: { type: file, path: "${param:file}", loop: "${param:loop}" }',
  '    outputs:',
  '      ts: { type: http-ts, from: main, path: "/live${param:path}", window: "${param:window}" }',
]

const withPipelines = (...lines: readonly string[]): string =>
  [...HEAD, ...TEMPLATE, 'pipelines:', ...lines, ''].join('\n')

interface Node {
  readonly type: string
  readonly path: string
  readonly loop?: boolean
  readonly window?: { readonly duration: string }
}
interface Shown {
  readonly description: string
  readonly inputs: Readonly<Record<string, Node>>
  readonly transforms?: Readonly<Record<string, Node>>
  readonly outputs: Readonly<Record<string, Node>>
}

async function pipelinesOf(
  text: string,
  options: Partial<LoadOptions> = {},
): Promise<{ readonly shown: Readonly<Record<string, Shown>>; readonly folder: string }> {
  const { graph, diagnostics, folder } = await loadFiles({ a: text }, undefined, options)
  assert.deepEqual(diagnostics, [])
  return { shown: shown(graph), folder }
}

function shown(graph: Graph | undefined): Readonly<Record<string, Shown>> {
  assert.ok(graph !== undefined)
  return (effectiveConfig(graph) as { readonly pipelines: Readonly<Record<string, Shown>> }).pipelines
}

test('a pipeline is its template with the parameters filled in', async () => {
  const text = withPipelines('  one: { template: channel, with: { file: a.ts, loop: true } }')
  const { shown: found, folder } = await pipelinesOf(text)
  const { one } = found
  assert.equal(one?.description, 'channel a.ts')
  assert.deepEqual([one.inputs['main']?.path, one.inputs['main']?.loop], [join(folder, 'a.ts'), true])
  assert.deepEqual([one.outputs['ts']?.path, one.outputs['ts']?.window?.duration], ['/live/x.ts', '5s'])
})

test('a pipeline adds nodes, changes and removes options, and replaces a node by one of another type', async () => {
  const text = withPipelines(
    '  one:',
    '    template: channel',
    '    with: { file: a.ts }',
    '    description: mine',
    '    inputs:',
    '      main: { loop: true, pace: none }',
    '    transforms: { gops: { type: gop, from: main } }',
    '    outputs:',
    '      ts: { from: gops, window: ~ }',
    '      more: { type: http-ts, from: main, path: /more }',
    '  two: { template: channel, with: { file: b.ts, path: /b }, inputs: , outputs: { ts: ~, hls: { type: http-ts, from: main, path: /h } } }',
    '  three: { template: channel, with: { file: c.ts }, outputs: { ts: { type: faulty, from: main } } }',
  )
  const { graph, diagnostics } = await loadFiles({ a: text })
  // The example definition throws.
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['PLUGIN_FAULT'],
  )
  assert.equal(graph, undefined)
  const { shown: found } = await pipelinesOf(text.replace('faulty', 'http-ts, path: /c, window: ~'))
  const { one, two } = found
  assert.equal(one?.description, 'mine')
  assert.deepEqual([one.inputs['main']?.loop, one.outputs['ts']?.window?.duration], [true, '10s'])
  assert.deepEqual(Object.keys(one.outputs), ['ts', 'more'])
  assert.deepEqual([Object.keys(two?.inputs ?? {}), Object.keys(two?.outputs ?? {})], [['main'], ['hls']])
})

test('a parameter keeps the type of its value, null leaves the option out, and digits stay as written', async () => {
  const text = withPipelines(
    '  one: { template: channel, with: { file: a, path: 007, window: { duration: 3s }, loop: ~ } }',
  )
  const { shown: found } = await pipelinesOf(text)
  assert.deepEqual(
    [
      found['one']?.outputs['ts']?.path,
      found['one']?.outputs['ts']?.window?.duration,
      found['one']?.inputs['main']?.loop,
    ],
    ['/live007', '3s', false],
  )
})

test('the value of a parameter is never interpolated again', async () => {
  const text = withPipelines('  one: { template: channel, with: { file: "${A}", path: "$${param:file}{x: 1}" } }')
  const { shown: found, folder } = await pipelinesOf(text, { env: { A: '${param:path}${B}' } })
  assert.equal(found['one']?.inputs['main']?.path, join(folder, '${param:path}${B}'))
  assert.equal(found['one'].outputs['ts']?.path, '/live${param:file}{x: 1}')
})

test('a parameter can be a secret, which is never shown', async () => {
  const text = withPipelines('  one: { template: channel, with: { file: "x/${secret:s}.ts" } }')
  const { shown: found } = await pipelinesOf(`${text}secrets: { s: { env: S } }\n`, { env: { S: 'hunter2' } })
  assert.ok(found['one']?.inputs['main']?.path.endsWith('/x/***.ts'))
  assert.equal(found['one']?.description, 'channel x/***.ts')
})

test('a mistake is shown where it is written, and a note names the pipeline that it affects', async () => {
  const template = ['version: 1', ...TEMPLATE, ''].join('\n').replace('type: file,', 'type: file, pace: fast,')
  const live = [
    ...HEAD,
    'include: [lib/t.yaml]',
    'pipelines:',
    '  one:',
    '    template: channel',
    '    with: { file: a, window: { duration: 5 apples }, loop: sometimes }',
    '',
  ].join('\n')
  const { diagnostics } = await loadFiles({ live, 'lib/t.yaml': template }, ['live'])
  const found = diagnostics.map(({ file, line, column, note }) => [basename(file), line, column, note !== undefined])
  assert.deepEqual(found, [
    ['live', 7, 42, false],
    ['live', 7, 60, false],
    ['t.yaml', 7, 33, true],
  ])
  assert.match(diagnostics[2]?.note ?? '', /^pipeline "one" \(.*live:5:3\) uses template "channel"$/)
})

test('paths are relative to the file in which they are written', async () => {
  const template = ['version: 1', ...TEMPLATE, ''].join('\n').replace('"${param:file}"', '"in/${param:file}"')
  const live = [
    ...HEAD,
    'include: [lib/t.yaml]',
    'pipelines:',
    '  one: { template: channel, with: { file: a } }',
    '  two: { template: channel, with: { file: b, path: /two }, inputs: { main: { path: b } } }',
    '',
  ].join('\n')
  const { graph, folder } = await loadFiles({ live, 'lib/t.yaml': template }, ['live'])
  const pipelines = shown(graph)
  assert.equal(pipelines['one']?.inputs['main']?.path, join(folder, 'lib/in/a'))
  assert.equal(pipelines['two']?.inputs['main']?.path, join(folder, 'b'))
})

test('a flag can change an option of the expanded pipeline, but neither template nor parameter', async () => {
  const text = withPipelines('  one: { template: channel, with: { file: a.ts } }')
  const { shown: found } = await pipelinesOf(text, { sets: ['pipelines.one.outputs.ts.window.duration=7s'] })
  assert.equal(found['one']?.outputs['ts']?.window?.duration, '7s')
  const sets = [
    'pipelines.one.with.file=b',
    'templates.channel.description=x',
    'include=[a]',
    'pipelines.one.template=x',
  ]
  const { diagnostics } = await loadFiles({ a: text }, undefined, { sets })
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    sets.map(() => 'CONFIG_SET'),
  )
})

test('defaults apply to the nodes of a template', async () => {
  const text = withPipelines('  one: { template: channel, with: { file: a.ts, loop: ~ } }')
  const { shown: found } = await pipelinesOf(`${text}defaults: { inputs: { file: { loop: true } } }\n`)
  assert.equal(found['one']?.inputs['main']?.loop, true)
})

test('templates that expand to too many values are reported once, and quickly', async () => {
  const nodes = Array.from(
    { length: 300 },
    (_, index) => `      n${index}: { type: http-ts, from: n, path: "/\${param:a}" }`,
  )
  const uses = Array.from({ length: 500 }, (_, index) => `  p${index}: { template: t, with: { a: ${index} } }`)
  const text = [
    'version: 1',
    'templates:',
    '  t:',
    '    parameters: { a: {} }',
    '    outputs:',
    ...nodes,
    'pipelines:',
    ...uses,
    '',
  ]
  const { diagnostics } = await loadFiles({ a: text.join('\n') })
  assert.equal(diagnostics.filter(({ code }) => code === 'CONFIG_ALIASES').length, 1)
})

const value = fc.record(
  {
    file: fc.stringMatching(/^[a-z${}: #"'\\]{1,12}$/),
    path: fc.stringMatching(/^\/[a-z${}: #"'\\]{0,12}$/),
    loop: fc.boolean(),
    window: fc.record({ duration: fc.constantFrom('1s', '2s', '500ms') }),
  },
  { requiredKeys: ['file'] },
)

test('pipelines from a template equal the same pipelines written out by hand', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (given) => {
      const literal = (text: string): string => text.split('${').join('$${')
      const uses = given.map(({ file, path = '', ...rest }, index) => {
        const parameters = { file: literal(file), path: literal(`/${index}${path}`), ...rest }
        return [`p${index}`, { template: 'channel', with: parameters }] as const
      })
      const written = given.map(({ file, path = '', loop = false, window = { duration: '5s' } }, index) => {
        const main = { type: 'file', path: literal(file), loop }
        const ts = { type: 'http-ts', from: 'main', path: literal(`/live/${index}${path}`), window }
        const description = literal(`channel ${file}`)
        return [`p${index}`, { description, inputs: { main }, outputs: { ts } }] as const
      })
      const short = `${[...HEAD, ...TEMPLATE, ''].join('\n')}${stringify({ pipelines: Object.fromEntries(uses) })}`
      const long = `${HEAD.join('\n')}\n${stringify({ pipelines: Object.fromEntries(written) })}`
      const a = await loadFiles({ a: short })
      const b = await loadFiles({ a: long })
      const of = ({ graph, diagnostics, folder }: typeof a): unknown => {
        const said = diagnostics.map(({ code, message }) => `${code} ${message}`)
        const options = graph?.pipelines.flatMap(({ description, nodes }) => [
          description,
          ...nodes.map(({ id, options: values, from }) => ({ id, values, from })),
        ])
        return JSON.parse(JSON.stringify({ said: said.length, options }).replaceAll(folder, ''))
      }
      assert.deepEqual(of(a), of(b))
    }),
    { numRuns: 100 },
  )
})
