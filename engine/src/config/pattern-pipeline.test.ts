import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { copyPipeline } from '../graph/copy-pipeline.js'
import type { Graph } from '../graph/graph.js'
import { effectiveConfig } from './effective-config.js'
import { loadFiles } from './example-config.test.js'
import { renderText } from './report/render-diagnostics.js'

interface Lines {
  readonly input?: string
  readonly output?: string
  readonly more?: readonly string[]
}

function yaml({ input = 'streams: "*"', output = '/live/${stream}.ts', more = [] }: Lines = {}): string {
  return [
    'version: 1',
    'listeners: { web: { address: "127.0.0.1:8000" } }',
    'auth: { studio: { type: ip, allow: [10.0.0.0/8], actions: [publish] } }',
    'pipelines:',
    '  live:',
    `    inputs: { in: { type: pub, ${input} } }`,
    '    outputs:',
    `      ts: { type: http-ts, from: in, path: "${output}" }`,
    ...more,
    '',
  ].join('\n')
}

async function load(text: string): Promise<{ readonly graph: Graph | undefined; readonly found: readonly string[] }> {
  const { graph, diagnostics } = await loadFiles({ a: text }, undefined)
  return { graph, found: diagnostics.map(({ code, line, column, message }) => `${code} ${line}:${column} ${message}`) }
}

async function graphOf(text: string): Promise<Graph> {
  const { graph, found } = await load(text)
  assert.deepEqual(found, [])
  assert.ok(graph !== undefined)
  return graph
}

const pathOf = (options: unknown): string => (options as { readonly path: string }).path

describe('a pattern pipeline', () => {
  test('has its placeholders as text, and a copy has the key in their place', async () => {
    const graph = await graphOf(
      yaml({ input: 'streams: "*", maxStreams: 3, linger: 2s, takeover: replace, auth: studio' }),
    )
    const [pipeline] = graph.pipelines
    assert.deepEqual(
      pipeline?.nodes.map(({ options }) => pathOf(options)),
      [undefined, '/live/${stream}.ts'],
    )
    assert.deepEqual(pipeline.nodes[0]?.publish, {
      streams: '*',
      keys: undefined,
      maxStreams: 3,
      lingerMs: 2000,
      takeover: 'replace',
      takeoverAfterMs: 3000,
      auth: ['studio'],
    })
    const copy = await copyPipeline(pipeline, 'cam-1')
    assert.equal(copy.name, 'live@cam-1')
    assert.deepEqual(
      copy.nodes.map(({ id, from, options }) => [id, from.map(({ node }) => node), pathOf(options)]),
      [
        ['live@cam-1/in', [], undefined],
        ['live@cam-1/ts', ['live@cam-1/in'], '/live/cam-1.ts'],
      ],
    )
  })

  test('is written as it was read', async () => {
    const config = effectiveConfig(await graphOf(yaml({ input: 'streams: "cam-*", keys: "[a-z0-9-]{1,9}"' }))) as {
      readonly pipelines: {
        readonly live: { readonly inputs: object; readonly outputs: { readonly ts: { path: string } } }
      }
    }
    const { inputs, outputs } = config.pipelines.live
    const own = {
      maxStreams: 100,
      linger: '10s',
      takeover: 'refuse',
      takeoverAfter: '3s',
      timeline: 'continuous',
      batch: '50ms',
      probe: '2s',
    }
    assert.deepEqual(inputs, { in: { type: 'pub', streams: 'cam-*', keys: '[a-z0-9-]{1,9}', ...own } })
    assert.equal(outputs.ts.path, '/live/${stream}.ts')
  })

  test('fills a key in as one inert text, whatever it looks like', async () => {
    const graph = await graphOf(yaml({ output: '/live/${stream}.ts', more: ['    description: "is ${stream}"'] }))
    for (const key of ['007', 'true', '${HOME}', '${stream}', '"x: {}', '$${a}', 'a,b]']) {
      const copy = await copyPipeline(graph.pipelines[0]!, key)
      assert.deepEqual([copy.description, pathOf(copy.nodes[1]?.options)], [`is ${key}`, `/live/${key}.ts`])
    }
  })

  test('can be made from a template, with parameters and the stream in one text', async () => {
    const text = [
      'version: 1',
      'listeners: { web: { address: "127.0.0.1:8000" } }',
      'templates:',
      '  channel:',
      '    parameters: { root: {}, tail: { default: "-${stream}" } }',
      '    inputs: { in: { type: pub, streams: "*" } }',
      '    outputs: { ts: { type: http-ts, from: in, path: "${param:root}/${stream}${param:tail}" } }',
      'pipelines: { live: { template: channel, with: { root: "/a" } } }',
      '',
    ].join('\n')
    const graph = await graphOf(text)
    const copy = await copyPipeline(graph.pipelines[0]!, 'x')
    assert.equal(pathOf(copy.nodes[1]?.options), '/a/x-x')
  })

  test('an input of one name makes no copies', async () => {
    const graph = await graphOf(yaml({ input: 'streams: main', output: '/live.ts' }))
    assert.deepEqual([graph.pipelines[0]?.pattern, graph.pipelines[0]?.nodes[0]?.publish?.streams], [undefined, 'main'])
  })
})

const MISTAKES = [
  ['${stream} in an ordinary pipeline', yaml({ input: '' }), /CONFIG_INTERPOLATION 8:\d+ .*"live", which has no input/],
  [
    '${stream} in another section',
    yaml({ more: ['engine: { stateDir: "/tmp/${stream}" }'] }),
    /CONFIG_INTERPOLATION 9:27 \$\{stream\} is used outside/,
  ],
  [
    '${stream} in the input that takes the streams',
    yaml({ input: 'streams: "*", note: "${stream}"' }),
    /CONFIG_INTERPOLATION .*of which there is one/,
  ],
  ['an unquoted *', yaml({ input: 'streams: *' }), /CONFIG_UNQUOTED 6:\d+ an unquoted \*/],
  ['an output that only one stream can have', yaml({ output: '/live.ts' }), /CONFIG_STREAM 8:7 output "ts" needs path/],
  ['two stars', yaml({ input: 'streams: "a*b*"' }), /CONFIG_WRONG_VALUE .*one \* at most/],
  [
    'keys on an input that takes no streams',
    yaml().replace('pub,', 'file, path: a,'),
    /CONFIG_UNKNOWN_KEY .*"streams"/,
  ],
  ['a group in keys', yaml({ input: 'streams: "*", keys: "(a+)+"' }), /CONFIG_WRONG_VALUE .*without groups/],
  ['too many quantifiers in keys', yaml({ input: 'streams: "*", keys: "a*a*a*a*"' }), /CONFIG_WRONG_VALUE .*at most 3/],
  ['an unknown auth provider', yaml({ input: 'streams: "*", auth: nobody' }), /CONFIG_UNKNOWN_AUTH .*"nobody"/],
  [
    'a second pattern',
    yaml().replace('"*" } }', '"*" }, two: { type: pub, streams: "a*" } }'),
    /CONFIG_STREAM .*"two" takes published streams/,
  ],
  [
    'a path of another pipeline',
    yaml({ more: other('/live/main.ts') }),
    /CONFIG_EXCLUSIVE .*"other\/ts" needs path \/live\/main\.ts .*"live\/ts"/,
  ],
  ['a path in its own pipeline', yaml({ more: own('/live/${stream}-hd.ts') }), /CONFIG_EXCLUSIVE .*"live\/hd"/],
] as const

function other(at: string): readonly string[] {
  return [
    '  other:',
    '    inputs: { m: { type: file, path: a } }',
    `    outputs: { ts: { type: http-ts, from: m, path: ${at} } }`,
  ]
}

function own(at: string): readonly string[] {
  return [`      hd: { type: http-ts, from: in, path: "${at}" }`]
}

describe('check reports', () => {
  for (const [name, text, expected] of MISTAKES) {
    test(name, async () => {
      const { found } = await load(text)
      assert.match(found.join('\n'), expected)
      assert.equal(found.length, 1, found.join('\n'))
    })
  }

  test('the ${stream} itself, under a caret', async () => {
    const { diagnostics } = await loadFiles({ a: yaml({ input: '' }) }, undefined)
    assert.match(renderText(diagnostics), /\^{9}\n.*help: it is the key of a published stream/)
  })

  const FREE = [
    ['a path beside the pattern', yaml({ more: other('/other/main.ts') })],
    ['another suffix', yaml({ more: own('/live/${stream}.m3u8') })],
    ['a deeper path', yaml({ more: other('/live/a/main.ts') })],
    ['a path of keys that are never taken', yaml({ input: 'streams: "cam-*"', more: other('/live/main.ts') })],
  ] as const
  for (const [name, text] of FREE) {
    test(`nothing about ${name}`, async () => {
      assert.deepEqual((await load(text)).found, [])
    })
  }
})
