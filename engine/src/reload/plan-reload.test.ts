import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { planReload } from './plan-reload.js'
import {
  channel,
  encode,
  graphOf,
  nodeOf,
  otherEncode,
  record,
  serve,
  udp,
  upstream,
  verbsOf,
  watch,
} from './planned-graph.test.kit.js'
import type { NodeChange } from '../observe/reload-plan.js'

const running = graphOf(channel())

const without = (id: string): Graph => graphOf(channel().filter((node) => node.id !== id))

const changeOf = (next: Graph, id: string, from: Graph = running): NodeChange | undefined =>
  planReload(from, next).nodes.find((node) => node.id === id)

// The table of what each edit costs.
const EDITS: readonly {
  readonly name: string
  readonly next: Graph
  readonly from?: Graph
  readonly verbs: Readonly<Record<string, string>>
}[] = [
  { name: 'nothing but comments, order or formatting', next: graphOf(channel()), verbs: {} },
  { name: 'a live option', next: graphOf(channel({ src: { readTimeout: '9s' } })), verbs: { 'live/src': 'live' } },
  { name: 'a lower limit', next: graphOf(channel({ ts: { clients: { max: 3 } } })), verbs: { 'live/ts': 'live' } },
  { name: 'a codec', next: graphOf(channel({ enc: { codec: 'h265' } })), verbs: { 'live/enc': 'swap' } },
  { name: 'an option of an output', next: graphOf(channel({ ts: { start: 'burst' } })), verbs: { 'live/ts': 'swap' } },
  {
    name: 'the upstream',
    next: graphOf(channel({ src: { url: 'http://b.example/' } })),
    verbs: { 'live/src': 'source' },
  },
  {
    name: 'any other option of an input',
    next: graphOf(channel({ src: { proxy: 'p' } })),
    verbs: { 'live/src': 'source' },
  },
  { name: 'an added node', from: without('live/ts'), next: running, verbs: { 'live/ts': 'add' } },
  {
    name: 'an added pipeline',
    next: graphOf([...channel(), nodeOf('two/src', upstream, { url: 'http://up.example/' })]),
    verbs: { 'two/src': 'add' },
  },
  { name: 'a removed output', next: without('live/ts'), verbs: { 'live/ts': 'remove' } },
  { name: 'a removed service', next: without('services/watch'), verbs: { 'services/watch': 'remove' } },
  {
    name: 'another from',
    next: graphOf(
      channel().map((node) => (node.id === 'live/ts' ? { ...node, from: [{ node: 'live/src', port: 'out' }] } : node)),
    ),
    verbs: { 'live/ts': 'swap' },
  },
  {
    name: 'another port of the same node',
    next: graphOf(
      channel().map((node) => (node.id === 'live/ts' ? { ...node, from: [{ node: 'live/enc', port: 'sd' }] } : node)),
    ),
    verbs: { 'live/ts': 'swap' },
  },
  { name: 'the path', next: graphOf(channel({ ts: { path: '/two' } })), verbs: { 'live/ts': 'rebind' } },
  {
    name: 'the path of a service',
    next: graphOf(channel({ watch: { path: '/w' } })),
    verbs: { 'services/watch': 'rebind' },
  },
  {
    name: 'an option of a service',
    next: graphOf(channel({ watch: { every: '2s' } })),
    verbs: { 'services/watch': 'swap' },
  },
  {
    name: 'an option that needs a restart',
    next: graphOf(channel({ enc: { license: 'x' } })),
    verbs: { 'live/enc': 'refuse' },
  },
  {
    name: 'several options, of which the most disruptive wins',
    next: graphOf(
      channel({ ts: { path: '/two', clients: { max: 3 }, start: 'burst' }, enc: { license: 'x', codec: 'h265' } }),
    ),
    verbs: { 'live/ts': 'swap', 'live/enc': 'refuse' },
  },
  {
    name: 'a description',
    next: graphOf(channel().map((node) => ({ ...node, description: 'new' }))),
    verbs: { 'services/watch': 'live', 'live/src': 'live', 'live/enc': 'live', 'live/ts': 'live' },
  },
  {
    name: 'the timeline of an input',
    next: graphOf(channel().map((node) => (node.id === 'live/src' ? { ...node, timeline: 'source' } : node))),
    verbs: { 'live/src': 'source' },
  },
  {
    name: 'the batch of an input',
    next: graphOf(channel().map((node) => (node.id === 'live/src' ? { ...node, batchMs: 20 } : node))),
    verbs: { 'live/src': 'live' },
  },
  {
    name: 'the highest rate of an input',
    next: graphOf(channel().map((node) => (node.id === 'live/src' ? { ...node, maxBytesPerS: 1000 } : node))),
    verbs: { 'live/src': 'live' },
  },
  {
    name: 'another type of input under the same id',
    next: graphOf(channel().map((node) => (node.id === 'live/src' ? nodeOf('live/src', udp, { port: 1 }) : node))),
    verbs: { 'live/src': 'source' },
  },
  {
    name: 'the same type from another module',
    next: graphOf(channel().map((node) => (node.id === 'live/enc' ? { ...node, definition: otherEncode } : node))),
    verbs: { 'live/enc': 'swap' },
  },
]

test('each edit costs what its option declares, and affects no other node', () => {
  for (const { name, from = running, next, verbs } of EDITS) {
    assert.deepEqual(verbsOf(from, next), verbs, name)
    const { isEmpty, refusals, nodes } = planReload(from, next)
    assert.equal(isEmpty, Object.keys(verbs).length === 0, name)
    assert.equal(refusals.length > 0, Object.values(verbs).includes('refuse'), name)
    for (const { verb, why } of nodes) assert.equal(why === '', verb === 'keep', name)
  }
})

test('a change names its option, its class and both values in YAML form', () => {
  const next = graphOf(
    channel({ src: { readTimeout: '1m' }, enc: { select: { program: 2, pids: [1, 2] } }, ts: { clients: { max: 3 } } }),
  )
  assert.deepEqual(changeOf(next, 'live/src')?.changes, [
    { path: 'readTimeout', reload: 'live', before: '5s', after: '1m' },
  ])
  assert.deepEqual(changeOf(next, 'live/enc')?.changes, [
    { path: 'select.pids', reload: 'live', before: '[]', after: '[1, 2]' },
    { path: 'select.program', reload: 'swap', before: undefined, after: '2' },
  ])
  assert.deepEqual(changeOf(next, 'live/ts')?.changes, [
    { path: 'clients.max', reload: 'live', before: '0', after: '3' },
  ])
})

test('services come first, then the nodes of the new graph in its order, then removed nodes', () => {
  const next = graphOf([...channel().filter(({ id }) => id !== 'live/src'), nodeOf('two/in', udp)])
  const ids = planReload(running, next).nodes.map(({ id }) => id)
  assert.deepEqual(ids, ['services/watch', 'live/enc', 'live/ts', 'two/in', 'live/src'])
})

test('a refusal names the key and says that a restart is needed', () => {
  const { refusals } = planReload(running, graphOf(channel({ enc: { license: 'x', codec: 'h265' } })))
  assert.deepEqual(refusals, [`live/enc: "license" can't change while the engine runs; a restart is needed`])
})

const renamed = (id: string, was: string, from: readonly string[] = []): NodeSettings =>
  nodeOf(id, encode, {}, { was, from })

test('a renamed node continues, and its readers are not rewired', () => {
  const next = graphOf(
    channel().map((node) => {
      if (node.id === 'live/enc') return renamed('live/small', 'live/enc', ['src'])
      return node.id === 'live/ts' ? { ...node, from: [{ node: 'live/small', port: 'out' }] } : node
    }),
  )
  const { nodes } = planReload(running, next)
  assert.deepEqual(verbsOf(running, next), { 'live/small': 'live' })
  const change = nodes.find(({ id }) => id === 'live/small')
  assert.equal(change?.was, 'live/enc')
  assert.deepEqual(change?.changes, [{ path: 'was', reload: 'live', before: 'enc', after: 'small' }])
  // Once more: the rename has already been carried out.
  assert.equal(planReload(next, next).isEmpty, true)
})

test('a rename with other changes costs as much as those', () => {
  const next = graphOf([nodeOf('live/b', encode, { codec: 'h265' }, { was: 'live/a' })])
  assert.deepEqual(verbsOf(graphOf([nodeOf('live/a', encode)]), next), { 'live/b': 'swap' })
})

const RENAMES: readonly {
  readonly name: string
  readonly from: readonly NodeSettings[]
  readonly next: readonly NodeSettings[]
  readonly verbs: Readonly<Record<string, string>>
}[] = [
  {
    name: 'from a node that does not run is an ordinary add',
    from: [],
    next: [renamed('live/b', 'live/a')],
    verbs: { 'live/b': 'add' },
  },
  {
    name: 'that was already carried out is ignored, even if a new node has the old name',
    from: [renamed('live/b', 'live/a'), nodeOf('live/a', encode)],
    next: [renamed('live/b', 'live/a'), nodeOf('live/a', encode)],
    verbs: {},
  },
  {
    name: 'leaves its name to a new node',
    from: [nodeOf('live/a', encode)],
    next: [renamed('live/b', 'live/a'), nodeOf('live/a', encode)],
    verbs: { 'live/b': 'live', 'live/a': 'add' },
  },
  {
    name: 'in a circle swaps names',
    from: [nodeOf('live/a', encode), nodeOf('live/b', encode, { codec: 'h265' })],
    next: [renamed('live/b', 'live/a'), nodeOf('live/a', encode, { codec: 'h265' }, { was: 'live/b' })],
    verbs: { 'live/b': 'live', 'live/a': 'live' },
  },
  {
    name: 'of a service',
    from: [nodeOf('services/a', watch)],
    next: [nodeOf('services/b', watch, {}, { was: 'services/a' })],
    verbs: { 'services/b': 'live' },
  },
  {
    name: 'from a node of another kind is none',
    from: [nodeOf('live/a', udp)],
    next: [renamed('live/b', 'live/a')],
    verbs: { 'live/b': 'add', 'live/a': 'remove' },
  },
]

test('a rename', async (t) => {
  for (const { name, from, next, verbs } of RENAMES) {
    await t.test(name, () => assert.deepEqual(verbsOf(graphOf(from), graphOf(next)), verbs))
  }
})

test('another kind under the same id is an add and a remove, and readers of the old node are rewired', () => {
  const next = graphOf(channel().map((node) => (node.id === 'live/enc' ? nodeOf('live/enc', udp) : node)))
  const { nodes } = planReload(running, next)
  const ofEnc = nodes.filter(({ id }) => id === 'live/enc').map(({ verb }) => verb)
  assert.deepEqual(ofEnc, ['add', 'remove'])
  assert.equal(nodes.find(({ id }) => id === 'live/ts')?.verb, 'swap')
})

test('an output of another type under the same id is an add and a remove: it cannot serve the viewers of the old one', () => {
  const other = nodeOf('live/ts', record, { path: '/a' }, { from: ['enc'] })
  const next = graphOf(channel().map((node) => (node.id === 'live/ts' ? other : node)))
  const verbs = planReload(running, next)
    .nodes.filter(({ id }) => id === 'live/ts')
    .map(({ verb }) => verb)
  assert.deepEqual(verbs, ['add', 'remove'])
})

const HANDOFFS: readonly {
  readonly name: string
  readonly from: readonly NodeSettings[]
  readonly next: readonly NodeSettings[]
  readonly id: string
  readonly holders: readonly string[] | undefined
  readonly why: RegExp
}[] = [
  {
    name: 'its own resource',
    from: [nodeOf('live/in', udp, { port: 5000 })],
    next: [nodeOf('live/in', udp, { port: 5000, buffer: '2MiB' })],
    id: 'live/in',
    holders: ['live/in'],
    why: /^needs UDP 0\.0\.0\.0:5000, which the old node must release first; .*gap/,
  },
  {
    name: 'the resource of a removed node',
    from: [nodeOf('live/in', udp)],
    next: [nodeOf('two/in', udp)],
    id: 'two/in',
    holders: ['live/in'],
    why: /^needs stdin, which live\/in must release first; .*gap/,
  },
  {
    name: 'the resource of a node of another type',
    from: [nodeOf('live/in', upstream, { url: 'http://a.example/' }), nodeOf('two/in', udp, { port: 1 })],
    next: [nodeOf('live/in', udp, { port: 1 }), nodeOf('two/in', udp, { port: 2 })],
    id: 'live/in',
    holders: ['two/in'],
    why: /^needs UDP 0\.0\.0\.0:1, which two\/in must release first/,
  },
  {
    name: 'nothing, if the resource is another one now',
    from: [nodeOf('live/in', udp, { port: 1 })],
    next: [nodeOf('live/in', udp, { port: 2 })],
    id: 'live/in',
    holders: undefined,
    why: /connected first/,
  },
  {
    name: 'no path of a listener',
    from: [nodeOf('live/ts', serve, { path: '/one' })],
    next: [nodeOf('live/ts', serve, { path: '/one', start: 'burst' })],
    id: 'live/ts',
    holders: undefined,
    why: /viewers stay/,
  },
]

test('a resource that two nodes cannot hold makes a handoff of:', async (t) => {
  for (const { name, from, next, id, holders, why } of HANDOFFS) {
    await t.test(name, () => {
      const change = changeOf(graphOf(next), id, graphOf(from))
      assert.equal(change?.verb === 'handoff', holders !== undefined)
      assert.deepEqual(change?.holders, holders)
      assert.match(change?.why ?? '', why)
    })
  }
})

test('options that are not known on one side count as changed', () => {
  const next = graphOf(channel().map((node) => (node.id === 'live/src' ? { ...node, options: undefined } : node)))
  assert.deepEqual(verbsOf(running, next), { 'live/src': 'source' })
  assert.deepEqual(verbsOf(next, next), {})
})

test('the plan of a large map is bounded, and its most disruptive class still counts', () => {
  const tags = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 'x']))
  const began = process.cpuUsage()
  const change = changeOf(graphOf(channel({ ts: { tags } })), 'live/ts')
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 1_000_000, `${user + system} µs`)
  assert.equal(change?.verb, 'live')
  assert.equal(change.changes.length, 101)
  assert.deepEqual(change.changes.at(-1), { path: '9900 more', reload: 'live' })
})

test('for a transform that makes a stream of its own, the plan says that the cut is marked', () => {
  const marking = { ...encode, makesStream: true }
  const plan = (codec: string): Graph => graphOf([nodeOf('live/enc', marking, { codec })])
  assert.match(changeOf(plan('h265'), 'live/enc', plan('h264'))?.why ?? '', /marked discontinuity/)
})

test('ports that change, even with an option that should not change them, cost a swap and are shown', () => {
  const next = graphOf(
    channel({ enc: { select: { pids: [5] } } }).map((node) => {
      return node.id === 'live/enc' ? { ...node, ports: [...node.ports, { name: 'hd', kind: 'ts' as const }] } : node
    }),
  )
  const change = changeOf(next, 'live/enc')
  assert.equal(change?.verb, 'swap')
  const [ports] = change?.changes ?? []
  assert.deepEqual(
    [ports?.path, ports?.before, ports?.after],
    ['ports', 'out (ts), sd (ts)', 'out (ts), sd (ts), hd (ts)'],
  )
})

test('a removed node that looks like an added one of its pipeline is told as a rename without `was:`', () => {
  const renamedTo = (next: Graph, from = running): readonly (string | undefined)[] =>
    planReload(from, next)
      .nodes.filter(({ verb }) => verb === 'remove')
      .map((node) => node.renamedTo)
  const asOther = (id: string, path?: string): Graph =>
    graphOf(
      channel(path === undefined ? {} : { ts: { path } }).map((node) =>
        node.id === 'live/ts' ? { ...node, id } : node,
      ),
    )
  assert.deepEqual(renamedTo(asOther('live/channel-one')), ['live/channel-one'])
  const [removed] = planReload(running, asOther('live/channel-one')).nodes.filter(({ verb }) => verb === 'remove')
  assert.match(removed?.why ?? '', /did you rename it to channel-one\? say was: ts there$/)
  assert.deepEqual(renamedTo(asOther('live/channel-one', '/elsewhere')), [undefined])
  assert.deepEqual(renamedTo(without('live/ts')), [undefined])
  const input = (id: string, port = 7000): NodeSettings => nodeOf(id, udp, { port })
  const before = graphOf([...channel(), input('two/a')])
  assert.deepEqual(renamedTo(graphOf([...channel(), input('two/b')]), before), ['two/b'])
  assert.deepEqual(renamedTo(graphOf([...channel(), input('two/b', 7001)]), before), [undefined])
  assert.deepEqual(renamedTo(graphOf([...channel(), input('three/a')]), before), [undefined])
})
