import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { explain, type ExplainFacts } from './explain.js'
import type { ClientStatus, EdgeStatus, NodeState, NodeStatus } from './status.js'

const since = '2026-01-01T00:00:00.000Z'

function node(id: string, state: NodeState = 'ready', why = '', more: Partial<NodeStatus> = {}): NodeStatus {
  const kind = id.startsWith('live/out') ? 'output' : id.startsWith('live/in') ? 'input' : 'transform'
  const amounts = { restarts: 0, receivedBytes: 0, sentBytes: 0 }
  return { id, kind, type: 'test', description: '', state, why, since, from: [], ...amounts, ...more }
}

function edge(from: string, to: string, more: Partial<EdgeStatus> = {}): EdgeStatus {
  const amounts = { bitsPerSecond: 0, receivedBytes: 0, queuedBytes: 0, isHeld: false, drops: 0, droppedBytes: 0 }
  return { from: `${from}.out`, to, ...amounts, ...more }
}

function client(behindBytes: number): ClientStatus {
  const amounts = { bytes: 0, behindBytes, skips: 0, skippedBytes: 0 }
  return {
    ...{ id: 'a', node: 'live/out', protocol: 'http', client: '192.0.2.1:1', path: '/', since, state: 'reading' },
    ...amounts,
  }
}

/** in -> mid -> out, everything well. */
function facts(more: Partial<ExplainFacts> & { readonly nodes?: readonly NodeStatus[] } = {}): ExplainFacts {
  const { nodes = [], ...rest } = more
  const given = new Map(nodes.map((each) => [each.id, each]))
  const all = ['live/in', 'live/mid', 'live/out'].map((id) => given.get(id) ?? node(id))
  const edges = [edge('live/in', 'live/mid'), edge('live/mid', 'live/out')]
  return {
    engine: 'running',
    pipeline: { nodes: all, edges },
    node: 'live/out',
    cannotStart: new Map(),
    clients: [],
    refusals: [],
    warnings: [],
    ...rest,
  }
}

const IN_PORT = new Map([
  ['live/in', 'no key frame for 12 s'],
  ['live/mid', 'no key frame for 12 s'],
])
const SLOW_EDGES = [
  edge('live/in', 'live/mid'),
  edge('live/mid', 'live/out', { isHeld: true, drops: 2, droppedBytes: 500 }),
]
const LIMITS = { max: 2, soft: 0, perAddress: 0, reached: ['max'] } as const

/** Details of the output rtmp. */
function rtmp(codecs: readonly string[], leftOut: readonly string[]): NonNullable<NodeStatus['details']> {
  return { path: 'live/a', codecs, leftOut, damaged: 0, connections: [] }
}

const CASES: readonly (readonly [name: string, facts: ExplainFacts, cause: string, sentence: string])[] = [
  ['nothing', facts(), 'well', 'Nothing stands in the way of a picture at live/out, as far as the engine knows.'],
  ['the engine starts', facts({ engine: 'starting' }), 'engine-starting', 'The engine is starting.'],
  ...(
    [
      ['there is no PMT', 'degraded', 'no PMT on PID 0x0100', 'no-tables'],
      ['the CRC of a table is wrong', 'degraded', 'PAT CRC wrong', 'tables-damaged'],
      ['no packets come', 'waiting', 'connected, no packets for 5 s', 'no-packets'],
      ['the upstream answers 404', 'waiting', 'the upstream answered with status 404', 'not-found'],
      ['the upstream refuses', 'waiting', 'the upstream answered with status 403', 'refused'],
      ['nobody listens there', 'waiting', 'connect ECONNREFUSED 127.0.0.1:1', 'unreachable'],
      ['nobody publishes', 'idle', 'nobody publishes', 'not-published'],
      ['the source opens', 'opening', '', 'opening'],
      ['an operator has disabled it', 'stopped', 'disabled by an operator', 'disabled'],
    ] as const
  ).map(([name, state, why, cause]): (typeof CASES)[number] => [
    name,
    facts({ nodes: [node('live/in', state, why), node('live/mid', 'degraded', 'no key frame')] }),
    cause,
    `live/in: ${why === '' ? 'is opening' : why}.`,
  ]),
  [
    'the source has failed for good',
    facts({ nodes: [node('live/in', 'failed', 'a bug')] }),
    'failed',
    'live/in: has failed: a bug.',
  ],
  ['the stream has ended', facts({ nodes: [node('live/in', 'ended')] }), 'ended', 'live/in: its stream has ended.'],
  ['no key frame comes', facts({ cannotStart: IN_PORT }), 'no-key-frame', 'live/in: no key frame for 12 s.'],
  [
    'the container cannot carry the codec',
    facts({ nodes: [node('live/out', 'degraded', 'codec av1 is not possible in MPEG-TS')] }),
    'codec',
    'live/out: codec av1 is not possible in MPEG-TS.',
  ],
  [
    'the container carries none of the codecs, as the output rtmp says it',
    facts({ nodes: [node('live/out', 'ready', '', { details: rtmp([], ['video mpeg2', 'audio mp2']) })] }),
    'codec',
    'live/out: its container cannot carry video mpeg2, audio mp2, so that nothing is sent.',
  ],
  [
    'the container carries the sound alone',
    facts({ nodes: [node('live/out', 'ready', '', { details: rtmp(['audio aac'], ['video mpeg2']) })] }),
    'codec',
    'live/out: its container cannot carry video mpeg2, only audio aac is sent.',
  ],
  [
    'the container carries the picture, and not the sound',
    facts({ nodes: [node('live/out', 'ready', '', { details: rtmp(['video h264'], ['audio mp2']) })] }),
    'well',
    'Nothing stands in the way of a picture at live/out, as far as the engine knows.',
  ],
  [
    'a rule refuses the viewers',
    facts({ refusals: [{ node: 'live/out', reason: 'bad-credentials', status: 403 }] }),
    'refused',
    'live/out: viewers were refused in the last minute: bad-credentials, status 403.',
  ],
  [
    'a rule refuses the publisher',
    facts({
      nodes: [node('live/in', 'idle', 'nobody publishes')],
      warnings: [{ node: 'live/in', text: 'refused a publisher: rule 2 of auth/keys' }],
    }),
    'refused',
    'live/in: nobody publishes; a publisher was refused: refused a publisher: rule 2 of auth/keys.',
  ],
  [
    'the limit of viewers is reached',
    facts({ nodes: [node('live/out', 'ready', '', { clients: 2, clientLimits: LIMITS })] }),
    'limit',
    'live/out: the limit of 2 viewers is reached, further ones are refused.',
  ],
  [
    'every viewer is too slow',
    facts({ clients: [client(2e6), client(3e6)] }),
    'viewers-slow',
    'live/out: all 2 viewers are too slow for the stream.',
  ],
  [
    'the reader does not keep up',
    facts({ pipeline: { nodes: facts().pipeline.nodes, edges: SLOW_EDGES } }),
    'reader-slow',
    'live/out: does not keep up with live/mid.out: dropped 500 bytes in 2 places, waits now.',
  ],
]

describe('an explanation', () => {
  for (const [name, given, cause, sentence] of CASES) {
    test(`says so if ${name}`, () => {
      const { cause: found, sentence: said, isWell } = explain(given)
      assert.deepEqual([found, said, isWell], [cause, sentence, cause === 'well'])
    })
  }

  test('is that all is well while one of many sources works, and one of many viewers keeps up', () => {
    const nodes = [node('live/in1', 'failed', 'gone'), node('live/in2'), node('live/mid'), node('live/out')]
    const edges = [edge('live/in1', 'live/mid'), edge('live/in2', 'live/mid'), edge('live/mid', 'live/out')]
    const { isWell, evidence } = explain(facts({ pipeline: { nodes, edges }, clients: [client(2e6), client(0)] }))
    assert.equal(isWell, true)
    assert.deepEqual(evidence[0], { node: 'live/in1', what: 'failed: gone' })
  })

  test('has refused viewers among the evidence where others see the picture, and no cause of them', () => {
    const refusals = [{ node: 'live/out', reason: 'denied', status: 403 }]
    const { isWell, evidence } = explain(facts({ refusals, clients: [client(0)] }))
    assert.equal(isWell, true)
    assert.deepEqual(evidence.at(-1), { node: 'live/out', what: 'refused in the last minute: denied, status 403' })
  })

  test('of an input looks at the outputs that it reaches', () => {
    const failed = facts({ nodes: [node('live/out', 'failed', 'the port is in use')], node: 'live/in' })
    assert.deepEqual([explain(failed).cause, explain(failed).at], ['failed', 'live/out'])
  })

  test('has the evidence in the order of the graph, then edges, then what was logged; bounded', () => {
    const warnings = Array.from({ length: 50 }, (_, i) => ({ node: 'live/mid', text: `line ${i}` }))
    const nodes = [
      node('live/mid', 'degraded', 'no pictures', { restarts: 2 }),
      node('live/out', 'ready', '', { clients: 1 }),
    ]
    const { evidence } = explain(
      facts({ nodes, warnings: [...warnings, { node: 'other/in', text: 'of another pipeline' }] }),
    )
    assert.deepEqual(
      evidence.map(({ node: id, what }) => `${id} ${what}`),
      [
        ...['live/in ready', 'live/mid degraded: no pictures', 'live/mid tried again 2 times'],
        ...['live/out ready', 'live/out 1 viewer'],
        ...[45, 46, 47, 48, 49].map((i) => `live/mid log: line ${i}`),
      ],
    )
  })
})
