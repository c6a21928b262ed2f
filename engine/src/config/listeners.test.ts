// The section `listeners:` with protocols of plugins, and the nodes that name them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineInput, defineListener } from '../plugin/define.js'
import { describeDefinition } from '../plugin/manifest.js'
import { count, listenerName } from '../plugin/options.js'
import { registryOf } from '../plugin/registry.js'
import { token } from '../plugin/tokens.js'
import { effectiveConfig } from './effective-config.js'
import { editorSchema } from './editor-schema.js'
import { loadFiles } from './example-config.test.js'

const open = (): never => {
  throw new Error('configuration opens nothing')
}

function listenerOf(protocol: string, transport: 'tcp' | 'udp') {
  return defineListener({
    protocol,
    transport,
    summary: 'For tests.',
    options: z.strictObject({ depth: count({ max: 9 }).default(3).meta({ description: 'How deep.' }) }),
    provides: token(`test.${protocol}`),
    examples: [],
    open,
  })
}

const definitions = [
  listenerOf('tcp', 'tcp'),
  listenerOf('srt', 'udp'),
  defineInput({
    type: 'pub',
    summary: 'For tests.',
    produces: 'bytes',
    options: z.strictObject({ listener: listenerName('tcp').meta({ description: 'Where.' }) }),
    examples: [],
    open,
  }),
  defineInput({
    type: 'datagrams',
    summary: 'For tests.',
    produces: 'bytes',
    options: z.strictObject({ address: z.string().meta({ description: 'Where.' }) }),
    exclusive: ({ address }) => [{ kind: 'udp', address }],
    examples: [],
    open,
  }),
]
const plugins = () => Promise.resolve({ registry: registryOf(definitions), problems: [] })

function file(listeners: string, input = '{ type: pub, listener: pubs }'): Record<string, string> {
  return {
    'live.yaml': `version: 1
listeners: { ${listeners} }
pipelines: { one: { inputs: { main: ${input} } } }
`,
  }
}

async function problems(listeners: string, input?: string): Promise<readonly string[]> {
  const { diagnostics } = await loadFiles(file(listeners, input), undefined, { plugins })
  return diagnostics.map(({ code, line, column, message, help }) => `${code} ${line}:${column} ${message} (${help})`)
}

test('a listener by a plugin has the keys of the engine, the options of the plugin, and a node', async () => {
  const text = 'pubs: { protocol: tcp, address: "0.0.0.0:7000", depth: "5", maxPerAddress: 2 }'
  const { graph, diagnostics } = await loadFiles(file(text), undefined, { plugins })
  assert.deepEqual(diagnostics, [])
  const pubs = graph?.listeners.find(({ name }) => name === 'pubs')
  assert.deepEqual(
    [pubs?.protocol, pubs?.address, pubs?.maxPerAddress, pubs?.maxConnections],
    ['tcp', '0.0.0.0:7000', 2, 1000],
  )
  assert.deepEqual(
    graph?.services.map(({ id, options }) => [id, options]),
    [['listeners/pubs', { depth: 5 }]],
  )
  const { listeners, services } = effectiveConfig(graph!) as { listeners: Record<string, object>; services?: object }
  assert.deepEqual(services, undefined)
  assert.deepEqual(listeners['pubs'], {
    protocol: 'tcp',
    address: '0.0.0.0:7000',
    proxyProtocol: 'off',
    trustedProxies: [],
    maxConnections: 1000,
    maxPerAddress: 2,
    depth: 5,
  })
})

test('the options of a listener can have defaults', async () => {
  const files = file('pubs: { protocol: tcp, address: "0.0.0.0:7000" }')
  files['live.yaml'] += 'defaults: { listeners: { tcp: { depth: 7 } } }\n'
  const { graph } = await loadFiles(files, undefined, { plugins })
  assert.deepEqual(graph?.services[0]?.options, { depth: 7 })
})

const ROWS: readonly (readonly [name: string, listeners: string, input: string | undefined, expected: RegExp])[] = [
  [
    'an unknown protocol',
    'pubs: { protocol: tpc, address: "0.0.0.0:1" }',
    undefined,
    /CONFIG_UNKNOWN_TYPE 2:32 .*"tpc" .*did you mean "tcp"/,
  ],
  [
    'a wrong option',
    'pubs: { protocol: tcp, address: "0.0.0.0:1", depth: 10 }',
    undefined,
    /CONFIG_OUT_OF_RANGE|CONFIG_WRONG_VALUE/,
  ],
  [
    'an option of http',
    'pubs: { protocol: tcp, address: "0.0.0.0:1", maxClients: 1 }',
    undefined,
    /CONFIG_UNKNOWN_KEY .*maxClients/,
  ],
  [
    'TLS over UDP',
    'pubs: { protocol: srt, address: "0.0.0.0:1", tls: { cert: a, key: b } }',
    '{ type: datagrams, address: "0.0.0.0:9" }',
    /CONFIG_UNKNOWN_KEY .*tls/,
  ],
  [
    'a listener of another protocol',
    'pubs: { address: "0.0.0.0:1" }',
    undefined,
    /CONFIG_WRONG_LISTENER 3:\d+ input "main" needs a listener of protocol tcp, and "pubs" speaks http \(add one under listeners/,
  ],
  [
    'a listener that does not exist',
    'pub: { protocol: tcp, address: "0.0.0.0:1" }',
    undefined,
    /CONFIG_UNKNOWN_LISTENER .*did you mean "pub"/,
  ],
  [
    'the listener of the API',
    'api: { protocol: tcp, address: "0.0.0.0:1" }',
    '{ type: datagrams, address: "0.0.0.0:9" }',
    /CONFIG_WRONG_VALUE .*control API/,
  ],
  [
    'two listeners of one port',
    'pubs: { protocol: tcp, address: "0.0.0.0:1" }, web: { address: "127.0.0.1:1" }',
    undefined,
    /CONFIG_EXCLUSIVE .*"web" on 127\.0\.0\.1:1 conflicts with listener "pubs"/,
  ],
  [
    'a node that needs the port of a listener',
    's: { protocol: srt, address: "0.0.0.0:9" }',
    '{ type: datagrams, address: "127.0.0.1:9" }',
    /CONFIG_EXCLUSIVE .*needs udp 127\.0\.0\.1:9, which listener "s" has/,
  ],
]

for (const [name, listeners, input, expected] of ROWS) {
  test(`${name} is reported, once`, async () => {
    const found = await problems(listeners, input)
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', expected)
  })
}

test('TCP and UDP do not share ports', async () => {
  const listeners = 'pubs: { protocol: tcp, address: "0.0.0.0:9" }, s: { protocol: srt, address: "0.0.0.0:9" }'
  assert.deepEqual(await problems(listeners), [])
})

test('editors learn the keys of each protocol', () => {
  const schema = editorSchema(definitions.map(describeDefinition)) as {
    properties: { listeners: { additionalProperties: { allOf: readonly { then: { properties?: object } }[] } } }
  }
  const [tcp, srt] = schema.properties.listeners.additionalProperties.allOf.map(({ then }) =>
    Object.keys(then.properties ?? {}),
  )
  assert.deepEqual(tcp?.filter((key) => ['depth', 'tls', 'maxPerAddress'].includes(key)).length, 3)
  assert.deepEqual(srt?.includes('tls'), false)
  assert.ok(srt?.includes('receiveBuffer'))
})
