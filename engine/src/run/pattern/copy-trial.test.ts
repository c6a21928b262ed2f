import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { until } from '../../listen/loopback.test.kit.js'
import { FakeClock } from '../../testing/fake-clock.js'
import type { Mode } from '../scripted-nodes.test.kit.js'
import { CopyTrial } from './copy-trial.js'
import type { StreamCopy } from './stream-copy.js'
import { exclusiveYaml, flow, PatternHarness, servingYaml } from './pattern.test.kit.js'

const withSwap = (swap: string): string =>
  servingYaml('linger: 30s', `path: "/live/\${stream}.ts", live: "\${stream}", swap: ${swap}`)

/** Notes what is opened, as `key:swap`, and opens none that is bad. */
function opening(isBad: (mode: Mode) => boolean = ({ swap }) => swap === 'bad') {
  const opened: string[] = []
  const onOpen = (mode: Mode): void => {
    opened.push(`${mode.live}:${mode.swap}`)
    if (isBad(mode)) throw new Error('it cannot be opened')
  }
  return { opened, onOpen }
}

const swapOf = ({ engine }: PatternHarness): unknown =>
  (engine.graph.pipelines[0]!.nodes[1]!.options as { readonly swap: string }).swap

const streamsOf = (harness: PatternHarness): unknown =>
  (harness.detailsOf('live/in') as { readonly streams: number }).streams

test('a reload that opens nothing is planned once for all copies, and looks at one in a turn of the event loop', async () => {
  await using harness = await new PatternHarness().start(servingYaml())
  const { graph } = harness.engine
  const [pipeline] = graph.pipelines
  let plans = 0
  const specification = {
    graph,
    get pipeline() {
      plans++
      return pipeline!
    },
  }
  const copy = {
    ...{ isOver: false, isStarting: false, isBusy: false, runner: {}, slot: { isTaken: true }, specification },
    inTurn: (run: () => Promise<void>) => run(),
  } as unknown as StreamCopy
  let turns = 0
  const count = (): void => void (turns++, (counted = setImmediate(count)))
  let counted = setImmediate(count)
  const next = { graph, pipeline: pipeline! }
  await new CopyTrial(Array<StreamCopy>(20).fill(copy), next, new FakeClock()).run()
  clearImmediate(counted)
  assert.equal(plans, 1)
  assert.ok(turns >= 19, `${turns} turns`)
})

describe('a reload that the copies of a pattern pipeline cannot follow', () => {
  test('is given up before it changes anything: publishers and viewers stay', async () => {
    const { opened, onOpen } = opening()
    await using harness = await new PatternHarness({ onOpen }).start(withSwap('a'))
    const publishers = [await harness.published('x'), await harness.published('y'), await harness.published('z')]
    using _ = flow(...publishers)
    const viewers = ['x', 'y', 'z'].map((key) => harness.viewer(`/live/${key}.ts`))
    await until(() => viewers.every(({ body }) => body.length > 0), 'the viewers watch')
    await assert.rejects(harness.reload(withSwap('bad')), {
      code: 'RELOAD_COPIES_FAILED',
      message: 'live/out in the copies live@x, live@y: NODE_FAILED: it cannot be opened',
    })
    assert.deepEqual(opened.slice(3), ['x:bad', 'y:bad'])
    assert.deepEqual([swapOf(harness), harness.rolledBack], ['a', []])
    assert.deepEqual(harness.pipelines, ['live', 'live@x', 'live@y', 'live@z'])
    const before = viewers.map(({ length }) => length)
    await until(() => viewers.every(({ length }, index) => length > before[index]!), 'they still receive')
    assert.deepEqual(
      [publishers.some(({ isClosed }) => isClosed), viewers.some(({ isEnded }) => isEnded)],
      [false, false],
    )
    await harness.reload(withSwap('b'))
    await until(() => ['x:b', 'y:b', 'z:b'].every((each) => opened.includes(each)), 'a good one is followed')
    assert.equal(
      viewers.some(({ isEnded }) => isEnded),
      false,
    )
  })

  test('is given up by the only copy', async () => {
    const { opened, onOpen } = opening()
    await using harness = await new PatternHarness({ onOpen }).start(withSwap('a'))
    const publisher = await harness.published('x')
    await assert.rejects(
      harness.reload(withSwap('bad')),
      /live\/out in the copy live@x: NODE_FAILED: it cannot be opened/,
    )
    assert.deepEqual([opened, publisher.isClosed, swapOf(harness)], [['x:a', 'x:bad'], false, 'a'])
  })

  test('is committed without copies: nobody can lose anything', async () => {
    const { opened, onOpen } = opening()
    await using harness = await new PatternHarness({ onOpen }).start(withSwap('a'))
    await harness.reload(withSwap('bad'))
    assert.deepEqual([opened, swapOf(harness)], [[], 'bad'])
  })

  test('is committed if the copy that has tried it ends meanwhile', async () => {
    let open: () => void = () => undefined
    const { opened, onOpen } = opening()
    const gate = new Promise<void>((resolve) => (open = resolve))
    const waits = (): Promise<void> => (opened.length > 1 ? gate : Promise.resolve())
    const yaml = (swap: string) => withSwap(swap).replace('linger: 30s', 'linger: 10ms')
    await using harness = await new PatternHarness({ onOpen, opened: waits }).start(yaml('a'))
    const publisher = await harness.published('x')
    const reloading = harness.reload(yaml('b'))
    await until(() => opened.length === 2, 'it is tried')
    publisher.leave()
    await until(() => streamsOf(harness) === 0, 'the copy ends')
    open()
    await reloading
    assert.equal(swapOf(harness), 'b')
  })
})

describe('the copy that tries a reload', () => {
  test('prefers one with a publisher, and opens each node once', async () => {
    const { opened, onOpen } = opening()
    await using harness = await new PatternHarness({ onOpen }).start(withSwap('a'))
    const gone = await harness.published('x')
    await harness.published('y')
    gone.leave()
    await harness.reload(withSwap('b'))
    await until(() => opened.length === 4, 'both follow')
    assert.deepEqual(opened.slice(2), ['y:b', 'x:b'])
  })

  test('is cut alone if another can follow', async () => {
    const { opened, onOpen } = opening(({ swap, live }) => swap === 'b' && live === 'x')
    await using harness = await new PatternHarness({ onOpen }).start(withSwap('a'))
    const [x, y] = [await harness.published('x'), await harness.published('y')]
    await harness.reload(withSwap('b'))
    await until(() => x.isClosed, 'the odd one ends')
    await until(() => harness.log.some((line) => line.includes('"followed":1,"cut":1')), 'the numbers')
    assert.deepEqual([y.isClosed, swapOf(harness), opened.filter((each) => each === 'y:b').length], [false, 'b', 1])
  })

  test('stays as it is if something else of the reload fails', async () => {
    const { opened, onOpen } = opening()
    await using harness = await new PatternHarness({ onOpen }).start(withSwap('a'))
    const publisher = await harness.published('x')
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const taken = withSwap('b').replace('web: {', `other: { address: "127.0.0.1:${port}" }, web: {`)
    await assert.rejects(harness.reload(taken))
    server.close()
    assert.deepEqual([publisher.isClosed, swapOf(harness)], [false, 'a'])
    await harness.reload(withSwap('c'))
    await until(() => opened.includes('x:c') && harness.stateOf('live@x/out') === 'ready', 'it follows the next one')
    assert.equal(publisher.isClosed, false)
  })
})

describe('a change that the copies can only make after the commit', () => {
  test('goes back if the first copies all fail, and their publishers stay', async () => {
    const { opened, onOpen } = opening()
    await using harness = await new PatternHarness({ onOpen }).start(exclusiveYaml('swap: a'))
    const keys = ['v', 'w', 'x', 'y', 'z']
    const publishers = await Promise.all(keys.map((key) => harness.published(key)))
    using _ = flow(...publishers)
    await harness.reload(exclusiveYaml('swap: bad'))
    await until(() => harness.rolledBack.length > 0, 'it is rolled back')
    const { node, why } = harness.rolledBack[0]!
    assert.deepEqual([node, why, swapOf(harness)], ['live/out', 'it cannot be opened', 'a'])
    await until(() => keys.every((key) => harness.stateOf(`live@${key}/out`) === 'ready'), 'all run again')
    assert.equal(
      publishers.some(({ isClosed }) => isClosed),
      false,
    )
    assert.ok(opened.filter((each) => each.endsWith('bad')).length <= 3)
    await harness.reload(exclusiveYaml('swap: b'))
    await until(() => keys.every((key) => opened.includes(`${key}:b`)), 'a good one is followed')
    assert.deepEqual([harness.rolledBack.length, publishers.some(({ isClosed }) => isClosed)], [1, false])
  })
})
