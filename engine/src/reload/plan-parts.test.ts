import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthSettings } from '../access/auth-schema.js'
import { SecretMask } from '../graph/secret-mask.js'
import type { EngineSettings, Graph, ListenerSettings } from '../graph/graph.js'
import { planReload } from './plan-reload.js'
import { AT, channel, encode, graphOf, listenerOf } from './planned-graph.test.kit.js'
import type { PartChange } from '../observe/reload-plan.js'

const running = graphOf(channel())
const { engine } = running

const parts = (next: Partial<Graph>, from: Partial<Graph> = {}): readonly PartChange[] =>
  planReload({ ...running, ...from }, { ...running, ...next }).parts

const verbs = (next: Partial<Graph>, from?: Partial<Graph>): readonly (readonly [id: string, verb: string])[] =>
  parts(next, from).map(({ id, verb }) => [id, verb] as const)

const web = (more: Partial<ListenerSettings>, address = '127.0.0.1:8000'): readonly ListenerSettings[] => [
  listenerOf('api', '127.0.0.1:9990'),
  listenerOf('web', address, more),
]

const tls = (key: string): NonNullable<ListenerSettings['tls']> => ({ cert: '/cert.pem', key })

const LISTENERS: readonly {
  readonly name: string
  readonly from?: readonly ListenerSettings[]
  readonly next: readonly ListenerSettings[]
  readonly verb: string | undefined
  readonly paths: readonly string[]
}[] = [
  { name: 'another address', next: web({}, '0.0.0.0:8000'), verb: 'rebind', paths: ['address'] },
  { name: 'TLS', next: web({ tls: tls('/a.pem') }), verb: 'rebind', paths: ['tls.cert', 'tls.key'] },
  {
    name: 'another key',
    from: web({ tls: tls('/a.pem') }),
    next: web({ tls: tls('/b.pem') }),
    verb: 'rebind',
    paths: ['tls.key'],
  },
  { name: 'the PROXY protocol', next: web({ proxyProtocol: 'v2' }), verb: 'rebind', paths: ['proxyProtocol'] },
  { name: 'a limit', next: web({ maxClients: 9 }), verb: 'live', paths: ['maxClients'] },
  { name: 'proxies', next: web({ trustedProxies: ['10.0.0.0/8'] }), verb: 'live', paths: ['trustedProxies'] },
  { name: 'the header', next: web({ forwardedHeader: 'forwarded' }), verb: 'live', paths: ['forwardedHeader'] },
  { name: 'both', next: web({ maxClients: 9 }, '[::]:8000'), verb: 'rebind', paths: ['address', 'maxClients'] },
  {
    name: 'a default that is written explicitly',
    next: web({ proxyProtocol: 'off', maxClients: 0 }),
    verb: undefined,
    paths: [],
  },
]

test('a listener is bound again for options of its socket; the others are live:', async (t) => {
  for (const { name, from, next, verb, paths } of LISTENERS) {
    await t.test(name, () => {
      const [part] = parts({ listeners: next }, from === undefined ? {} : { listeners: from })
      assert.equal(part?.verb, verb)
      assert.deepEqual(part?.changes.map(({ path }) => path) ?? [], paths)
    })
  }
})

test('listeners are added and removed', () => {
  const rtmp = listenerOf('more', '127.0.0.1:1935')
  const added = { listeners: [...running.listeners, rtmp] }
  assert.deepEqual(verbs(added), [['listeners/more', 'add']])
  assert.deepEqual(verbs({}, added), [['listeners/more', 'remove']])
})

const ENGINE: readonly { readonly next: EngineSettings; readonly id: string; readonly verb: string }[] = [
  { next: { ...engine, log: { level: 'debug' } }, id: 'engine/log.level', verb: 'live' },
  { next: { ...engine, drainMs: 500 }, id: 'engine/drain', verb: 'live' },
  { next: { ...engine, maxClients: 9 }, id: 'engine/maxClients', verb: 'live' },
  { next: { ...engine, api: { ...engine.api, hosts: ['a'] } }, id: 'engine/api.hosts', verb: 'live' },
  { next: { ...engine, api: { ...engine.api, address: '0.0.0.0:9990' } }, id: 'engine/api.address', verb: 'rebind' },
  { next: { ...engine, stateDir: '/other' }, id: 'engine/stateDir', verb: 'refuse' },
]

test('each setting of the engine is a part of its own', () => {
  for (const { next, id, verb } of ENGINE) assert.deepEqual(verbs({ engine: next }), [[id, verb]], id)
  const [drain] = parts({ engine: { ...engine, drainMs: 500 } })
  assert.deepEqual(drain?.changes, [{ path: 'drain', reload: 'live', before: '10s', after: '500ms' }])
})

test('the address of the control API is reported once, wherever it is written', () => {
  const address = '0.0.0.0:9990'
  const moved = {
    engine: { ...engine, api: { ...engine.api, address } },
    listeners: [listenerOf('api', address), ...running.listeners.slice(1)],
  }
  assert.deepEqual(verbs(moved), [['engine/api.address', 'rebind']])
})

test('a change that needs a restart is refused, naming the key', () => {
  const { refusals } = planReload(running, { ...running, engine: { ...engine, stateDir: '/other' } })
  assert.deepEqual(refusals, [`engine/stateDir: "stateDir" can't change while the engine runs; a restart is needed`])
})

const basic = (users: Readonly<Record<string, string>>, realm = 'millrace'): AuthSettings => {
  return { name: 'viewers', type: 'basic', options: { realm, users }, at: AT }
}

test('access providers are live, and nothing that they know is shown', () => {
  const auth = [basic({ anna: 'hunter2' })]
  assert.deepEqual(verbs({ auth }), [['auth/viewers', 'add']])
  assert.deepEqual(verbs({}, { auth }), [['auth/viewers', 'remove']])
  assert.deepEqual(verbs({ auth: [basic({ anna: 'hunter2' })] }, { auth }), [])
  const [part] = parts({ auth: [basic({ anna: 'other', berta: 'x' }, 'secret room')] }, { auth })
  assert.equal(part?.verb, 'live')
  assert.deepEqual(part?.changes, [
    { path: 'realm', reload: 'live', before: '***', after: '***' },
    { path: 'users', reload: 'live', before: '***', after: '***' },
  ])
  const ip: AuthSettings = { name: 'viewers', type: 'ip', options: { allow: ['10.0.0.0/8'], deny: [] }, at: AT }
  const [typed] = parts({ auth: [ip] }, { auth })
  assert.deepEqual(typed?.changes, [{ path: 'type', reload: 'live', before: 'basic', after: 'ip' }])
})

test('a changed secret is named, and so is everything that uses it; neither value is shown', () => {
  const graphWith = (value: string): Graph => {
    const secrets = new SecretMask()
    secrets.add(value, 'up')
    secrets.add('same as ever', 'kept')
    return graphOf(channel({ src: { url: `http://u:${value}@up.example/` } }), { secrets })
  }
  const plan = planReload(graphWith('hunter2'), graphWith('correcthorse'))
  assert.deepEqual(
    plan.parts.map(({ id }) => id),
    ['secrets/up'],
  )
  const changed = plan.nodes.filter(({ verb }) => verb !== 'keep')
  assert.deepEqual(
    changed.map(({ id, verb, changes }) => [id, verb, changes[0]?.before, changes[0]?.after]),
    [['live/src', 'source', 'http://u:***@up.example/', 'http://u:***@up.example/']],
  )
  assert.doesNotMatch(JSON.stringify(plan), /hunter2|correcthorse/)
})

test('a description of a pipeline is live', () => {
  const pipelines = running.pipelines.map((pipeline) => ({ ...pipeline, description: 'channel one' }))
  assert.deepEqual(parts({ pipelines }), [
    {
      id: 'pipelines/live',
      verb: 'live',
      changes: [{ path: 'description', reload: 'live', before: undefined, after: 'channel one' }],
      why: 'shown in status',
    },
  ])
})

test('changed code of a plugin in use is refused, naming the plugin', () => {
  const code = { name: 'encoder', loaded: 'a', onDisk: 'b', definitions: [encode] }
  const plan = planReload(running, { ...running, plugins: [code] })
  assert.deepEqual(plan.refusals, [
    'plugins/encoder: the code of plugin "encoder" has changed on disk, and Node keeps the old code; a restart is needed',
  ])
  assert.deepEqual(verbs({ plugins: [{ ...code, definitions: [] }] }), [], 'nothing uses it')
  assert.deepEqual(verbs({ plugins: [{ ...code, onDisk: 'a' }] }), [], 'the code is the same')
})
