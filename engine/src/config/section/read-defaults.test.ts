import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { defineInput } from '../../plugin/define.js'
import { duration, url } from '../../plugin/options.js'
import { registryOf } from '../../plugin/registry.js'
import { EXAMPLE_DEFINITIONS, loadFiles, pipelineWith } from '../example-config.test.js'

const relay = defineInput({
  type: 'relay',
  summary: 'From one place, or from another.',
  produces: 'bytes',
  options: z
    .strictObject({
      url: url().optional().meta({ description: 'Where.' }),
      urls: z.array(url()).optional().meta({ description: 'Where else.' }),
      readTimeout: duration().prefault('5s').meta({ description: 'How long.' }),
      auth: z
        .strictObject({
          user: z.string().optional().meta({ description: 'Who.' }),
          token: z.string().optional().meta({ description: 'With what.' }),
        })
        .refine(({ user, token }) => (user === undefined) !== (token === undefined), 'needs user or token')
        .optional(),
    })
    .refine((options) => options.url !== undefined || options.urls !== undefined, 'needs `url`, or `urls`'),
  examples: [],
  open() {
    throw new Error('configuration opens nothing')
  },
})
const plugins = () => Promise.resolve({ registry: registryOf([...EXAMPLE_DEFINITIONS, relay]), problems: [] })

test('defaults are merged under the options of every node of the type, group by group, in all files', async () => {
  const defaults = [
    'defaults:',
    '  inputs: { file: { loop: true, pace: none, batch: 20ms, path: d.ts } }',
    '  outputs: { http-ts: { window: { duration: 2s, size: 1MiB }, listener: api } }',
    '  services: { prometheus: { path: /numbers } }',
  ].join('\n')
  const first = pipelineWith({
    top: defaults,
    outputs: 'ts: { type: http-ts, from: main, path: /a, window: { size: 2MiB } }',
  }).replace('path: a.ts', 'pace: pcr')
  const second = 'version: 1\nservices: { m: { type: prometheus } }\n'
  const { graph, diagnostics, folder } = await loadFiles({ a: first, b: second })
  assert.deepEqual(diagnostics, [])
  const [main, ts] = graph?.pipelines[0]?.nodes ?? []
  assert.deepEqual(main?.options, { path: join(folder, 'd.ts'), loop: true, pace: 'pcr' })
  assert.equal(main?.batchMs, 20)
  assert.deepEqual(ts?.options, { path: '/a', listener: 'api', window: { duration: 2000, size: 2_097_152 } })
  assert.deepEqual(graph?.services[0]?.options, { listener: 'api', path: '/numbers' })
})

const mistakes = [
  { name: 'an unknown section', text: 'defaults: { input: {} }', found: ['CONFIG_UNKNOWN_KEY 3:13'] },
  { name: 'an unknown type', text: 'defaults: { inputs: { flie: {} } }', found: ['CONFIG_UNKNOWN_TYPE 3:23'] },
  {
    name: 'an unknown option that no node uses',
    text: 'defaults: { services: { prometheus: { pth: /x } } }',
    found: ['CONFIG_UNKNOWN_KEY 3:39'],
  },
  {
    name: 'a wrong value that two nodes use',
    text: 'defaults: { inputs: { file: { loop: maybe } } }',
    found: ['CONFIG_WRONG_TYPE 3:37'],
  },
  {
    name: 'a listener that does not exist',
    text: 'defaults: { outputs: { http-ts: { listener: wob } } }',
    found: ['CONFIG_UNKNOWN_LISTENER 3:45'],
  },
  {
    name: 'a key that only a node can set',
    text: 'defaults: { inputs: { file: { type: file, description: x } } }',
    found: ['CONFIG_UNKNOWN_KEY 3:31', 'CONFIG_UNKNOWN_KEY 3:43'],
  },
  { name: 'a list', text: 'defaults: { inputs: [file] }', found: ['CONFIG_WRONG_TYPE 3:13'] },
]

for (const { name, text, found } of mistakes) {
  test(`in defaults, ${name} is reported once, where it is written`, async () => {
    const outputs = 'a: { type: http-ts, from: main, path: /a }\nb: { type: http-ts, from: two, path: /b }'
    const file = pipelineWith({ top: text, outputs }).replace(
      'main: {',
      'two: { type: file, path: b.ts }\n      main: {',
    )
    const { diagnostics } = await loadFiles({ a: file })
    assert.deepEqual(
      diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`),
      found,
    )
  })
}

test('only one file can set the defaults of a type', async () => {
  const more = 'version: 1\ndefaults: { inputs: { file: { loop: true } } }\n'
  const { diagnostics } = await loadFiles({ a: pipelineWith({}), b: more, c: more })
  assert.deepEqual(
    diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`),
    ['CONFIG_DUPLICATE_ID 2:23'],
  )
})

test('rules between options are checked on each node with its defaults, not on the defaults', async () => {
  const top = 'defaults: { inputs: { relay: { readTimeout: 7s, auth: {} } } }'
  const withMain = (main: string): string =>
    pipelineWith({ top }).replace('{ type: file, path: a.ts }', `{ type: relay, ${main} }`)
  const good = await loadFiles({ a: withMain('url: "http://a.example/x", auth: { user: anna }') }, undefined, {
    plugins,
  })
  assert.deepEqual(good.diagnostics, [])
  assert.match(JSON.stringify(good.graph?.pipelines[0]?.nodes[0]?.options), /"readTimeout":7000/)
  const bad = await loadFiles({ a: withMain('auth: { user: anna }') }, undefined, { plugins })
  assert.deepEqual(
    bad.diagnostics.map(({ code, line, message }) => [code, line, message]),
    [['CONFIG_WRONG_VALUE', 7, 'input "main": needs `url`, or `urls`']],
  )
})
