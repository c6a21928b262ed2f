import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import type { Definition } from '../../plugin/contract.js'
import { until } from '../../listen/loopback.test.kit.js'
import { defineOutput } from '../../plugin/define.js'
import type { Resource } from '../../plugin/resource.js'
import { LISTENERS } from '../../plugin/tokens.js'
import { Subscription } from 'rxjs'
import { z } from 'zod'
import { reads, settings } from '../run.test.kit.js'
import {
  answerAt,
  assertUnbroken,
  endpointNode,
  liveLines,
  page,
  pageService,
  watch,
} from './endpoint-nodes.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'

const CARD: Resource = { kind: 'device', name: 'card' }
const live = liveLines()
const KINDS: readonly (readonly [name: string, definition: Definition])[] = [
  ['a live output', live],
  ['an output that answers requests', page],
  ['a service', pageService],
]

/** By default the options of the node before the edit. */
interface Change {
  readonly swap?: string
  readonly was?: string
}

function nodeAt(name: string, definition: Definition, path: string, { swap = name, was }: Change = {}): NodeSettings {
  const idOf = (each: string): string => `${definition.kind === 'service' ? 'services' : 'one'}/${each}`
  const more = was === undefined ? {} : { was: idOf(was) }
  return endpointNode(idOf(name), definition, { swap, listener: 'web', path }, more)
}

async function answers(harness: ReloadHarness, ...paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) found.push(await answerAt(harness, { listener: 'web', path }))
  return found
}

async function startWith(...nodes: readonly NodeSettings[]): Promise<ReloadHarness> {
  const harness = await new ReloadHarness().start(...nodes)
  harness.send(6)
  return harness
}

function assertReady(harness: ReloadHarness): void {
  assert.deepEqual([...new Set(Object.values(harness.states))], ['ready'])
  assert.deepEqual(harness.rolledBack, [])
}

describe('an edit', () => {
  for (const [index, [first, a]] of KINDS.entries()) {
    for (const [second, b] of KINDS.slice(index)) {
      for (const [how, changeOf] of [
        ['that stay', () => ({})],
        ['that are replaced', (name: string) => ({ swap: `${name}2` })],
      ] as const) {
        test(`exchanges the paths of ${first} and ${second} ${how}`, async () => {
          await using harness = await startWith(nodeAt('a', a, '/a'), nodeAt('b', b, '/b'))
          using _flow = harness.flow()
          await harness.reload(nodeAt('a', a, '/b', changeOf('a')), nodeAt('b', b, '/a', changeOf('b')))
          assertReady(harness)
          const { swap: nameA = 'a' }: Change = changeOf('a')
          const { swap: nameB = 'b' }: Change = changeOf('b')
          assert.deepEqual(await answers(harness, '/a', '/b'), [nameB, nameA])
        })
      }

      test(`removes ${first}, and puts ${second} at its path`, async () => {
        await using harness = await startWith(nodeAt('a', a, '/a'))
        using _flow = harness.flow()
        await harness.reload(nodeAt('b', b, '/a'))
        assertReady(harness)
        assert.deepEqual(await answers(harness, '/a'), ['b'])
      })
    }
  }

  test('rotates three paths while two of the nodes exchange their names, and viewers lose nothing', async () => {
    const before = [nodeAt('a', live, '/a'), nodeAt('b', live, '/b'), nodeAt('c', page, '/c')]
    await using harness = await startWith(...before)
    using _flow = harness.flow()
    const viewers = ['/a', '/b'].map((path) => watch(harness, { listener: 'web', path }))
    for (const viewer of viewers) await viewer.saw('\n')
    await harness.reload(
      nodeAt('b', live, '/b', { was: 'a', swap: 'a' }),
      nodeAt('a', live, '/c', { was: 'b', swap: 'b' }),
      nodeAt('c', page, '/a'),
    )
    assertReady(harness)
    assert.deepEqual(await answers(harness, '/a', '/b', '/c'), ['c', 'a', 'b'])
    assert.deepEqual(
      harness.engine.clients().map(({ node }) => node),
      ['one/b', 'one/a'],
    )
    for (const viewer of viewers) {
      await viewer.received(viewer.length + 50)
      assertUnbroken(viewer)
      viewer.close()
    }
  })

  test('puts a prefix over the old path of a live output, whose viewers stay', async () => {
    await using harness = await startWith(nodeAt('a', live, '/p/a'))
    using _flow = harness.flow()
    const viewer = await watch(harness, { listener: 'web', path: '/p/a' }).saw('\n')
    await harness.reload(nodeAt('a', live, '/a'))
    assert.deepEqual(await answers(harness, '/a', '/p/a'), ['a', 'a'])
    await harness.reload(nodeAt('a', live, '/a'), nodeAt('b', page, '/p/'))
    assertReady(harness)
    assert.deepEqual(await answers(harness, '/a', '/p/a', '/p/b'), ['a', 'b', 'b'])
    await viewer.received(viewer.length + 50)
    viewer.close()
  })

  test('whose paths clash only when they are claimed fails as a whole, and nothing has changed', async () => {
    const before = [nodeAt('a', page, '/a'), nodeAt('b', live, '/b'), nodeAt('s', pageService, '/s')]
    await using harness = await startWith(...before)
    using _flow = harness.flow()
    const viewer = await watch(harness, { listener: 'web', path: '/b' }).saw('\n')
    const { graph } = harness.engine
    // No node declares its second path, so no check of the configuration can find it.
    const clashing = settings('one/c', hiding, { ...reads('one/main'), options: { paths: ['/c', '/s'] } })
    const next = [nodeAt('a', page, '/b'), nodeAt('b', live, '/a', { swap: 'new' }), nodeAt('s', pageService, '/s')]
    await assert.rejects(harness.reload(...next, clashing), { code: 'LISTEN_PATH_TAKEN' })
    assert.equal(harness.engine.graph, graph)
    assertReady(harness)
    assert.deepEqual(await answers(harness, '/a', '/b', '/s', '/c'), ['a', 'b', 's', '404'])
    await viewer.received(viewer.length + 50)
    assertUnbroken(viewer)
    viewer.close()
    await harness.reload(...next)
    assertReady(harness)
    assert.deepEqual(await answers(harness, '/a', '/b', '/s'), ['new', 'a', 's'])
  })

  test('is rolled back as a whole if a node cannot take over and another one has its old path', async () => {
    let fail: (() => void) | undefined
    const failing = liveLines(({ swap }, later) => {
      if (swap === 'bad') fail = later
    })
    await using harness = await startWith(nodeAt('a', failing, '/a'), nodeAt('b', page, '/b'))
    const { graph } = harness.engine
    const viewer = await watch(harness, { listener: 'web', path: '/a' }).saw('\n')
    const applying = harness.reload(nodeAt('a', failing, '/b', { swap: 'bad' }), nodeAt('b', page, '/a'))
    await harness.committed(graph)
    fail?.()
    using _flow = harness.flow()
    await applying
    await harness.idle()
    assert.deepEqual(
      harness.rolledBack.map(({ node }) => node),
      ['one/a'],
    )
    assert.match(harness.rolledBack[0]?.why ?? '', /whole previous configuration/)
    assert.deepEqual(await answers(harness, '/a', '/b'), ['a', 'b'])
    assert.deepEqual(Object.values(harness.states), ['ready', 'ready', 'ready', 'ready'])
    await viewer.received(viewer.length + 50)
    assertUnbroken(viewer)
    viewer.close()
  })
})

test('a node that fails on probation while another has its old path rolls back the whole edit', async () => {
  let fail: (() => void) | undefined
  const failing = liveLines(({ swap }, later) => {
    if (swap === 'bad') fail = later
  })
  await using harness = await startWith(nodeAt('a', failing, '/a'), nodeAt('b', pageService, '/b'))
  using _flow = harness.flow()
  const viewer = await watch(harness, { listener: 'web', path: '/a' }).saw('\n')
  await harness.reload(nodeAt('a', failing, '/b', { swap: 'bad' }), nodeAt('b', pageService, '/a'))
  assertReady(harness)
  assert.deepEqual(await answers(harness, '/a', '/b'), ['b', 'bad'])
  fail?.()
  await until(() => harness.rolledBack.length > 0, 'it is rolled back')
  assert.match(harness.rolledBack[0]?.why ?? '', /^broken \(the whole previous configuration/)
  assert.deepEqual(await answers(harness, '/a', '/b'), ['a', 'b'])
  await viewer.received(viewer.length + 50)
  viewer.close()
})

test('an edit moves a node that must close before it opens, and another one to its old path', async () => {
  const carded = defineOutput({ ...page, exclusive: (value) => [...(page.exclusive?.(value) ?? []), CARD] })
  await using harness = await startWith(nodeAt('a', carded, '/a'), nodeAt('b', page, '/b'))
  using _flow = harness.flow()
  await harness.reload(nodeAt('a', carded, '/c', { swap: 'a2' }), nodeAt('b', page, '/a'))
  assert.equal(harness.verbs['one/a'], 'handoff')
  assertReady(harness)
  assert.deepEqual(await answers(harness, '/a', '/b', '/c'), ['b', '404', 'a2'])
})

test('a node that does not release its paths loses them when it ends', async () => {
  const careless = (path: string): NodeSettings =>
    settings('one/c', hiding, { ...reads('one/main'), options: { paths: [path] } })
  await using harness = await startWith(careless('/c'))
  using _flow = harness.flow()
  await harness.reload(nodeAt('a', page, '/c'))
  await harness.reload(careless('/d'))
  assertReady(harness)
  assert.deepEqual(await answers(harness, '/c', '/d'), ['404', 'hidden'])
})

/** Answers at paths that it does not declare, and never releases them. */
const hiding = defineOutput({
  type: 'test-hiding',
  summary: 'For tests.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({ paths: z.array(z.string()).meta({ description: 'For tests.' }) }),
  inject: { listeners: LISTENERS },
  examples: [],
  open: ({ value }, _context, { listeners }) => {
    for (const path of value.paths) {
      listeners.http('web').mount({ path }, (_request, response) => {
        response.writeHead(200, { 'Content-Type': 'hidden' }).end()
      })
    }
    return {
      accept: ([inlet]) => inlet?.chunks.subscribe() ?? Subscription.EMPTY,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  },
})
