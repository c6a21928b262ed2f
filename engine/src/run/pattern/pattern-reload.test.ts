import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../listen/loopback.test.kit.js'
import type { ScriptedPublisher } from '../../testing/scripted-publishers.js'
import { PatternHarness, recordingYaml, servingYaml, STREAM } from './pattern.test.kit.js'

const REST = STREAM.slice(188 * 200)

/** They send all the time, until it is disposed. */
function flow(...publishers: readonly ScriptedPublisher[]): Disposable {
  let at = 0
  const timer = setInterval(() => {
    const bytes = STREAM.slice(at, at + 188 * 50)
    at = at + bytes.length >= STREAM.length ? 0 : at + bytes.length
    for (const publisher of publishers) publisher.send(bytes)
  }, 10)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

describe('a reload of a pattern pipeline', () => {
  test('changes the copies: a live option in place, another by a swap', async () => {
    await using harness = await new PatternHarness().start(recordingYaml('', 'swap: a').replace(', }', ' }'))
    const publishers = await Promise.all(['a', 'b', 'c'].map((key) => harness.published(key)))
    await harness.reload(recordingYaml('', 'swap: b').replace(', }', ' }'))
    using _ = flow(...publishers)
    const hasFollowed = (key: string): boolean => harness.outputs.get(`live@${key}/out`)?.length === 2
    await until(() => ['a', 'b', 'c'].every(hasFollowed), 'all follow')
    await until(() => harness.chunksOf('live@c/out').length > 0, 'the new output reads')
    assert.deepEqual(
      publishers.map(({ refused }) => refused),
      [undefined, undefined, undefined],
    )
  })

  test('gives new copies the newest specification, and those that are there keep their publishers', async () => {
    await using harness = await new PatternHarness().start(recordingYaml('maxStreams: 1'))
    const a = await harness.published('a')
    await harness.reload(recordingYaml('maxStreams: 2'))
    await harness.published('b')
    assert.equal(a.isClosed, false)
    assert.deepEqual(harness.pipelines, ['live', 'live@a', 'live@b'])
  })

  test('that removes it ends all copies, and one that adds it begins with none', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const a = await harness.published('a')
    const without = recordingYaml().replace('"*"', 'main').replace('${stream}', 'x').replaceAll('live:', 'other:')
    await harness.reload(without)
    assert.equal(a.refused?.code, 'closing')
    await until(() => harness.pipelines.join() === 'other', 'the copies have gone')
    await harness.reload(recordingYaml())
    assert.deepEqual(harness.pipelines, ['live'])
    await harness.published('a')
  })

  test('that makes it an ordinary pipeline replaces its nodes', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const a = await harness.published('a')
    await harness.reload(recordingYaml('', 'note: x').replace('"*"', 'main'))
    assert.equal(a.refused?.code, 'closing')
    await until(() => harness.pipelines.join() === 'live', 'the copies have gone')
    const publisher = harness.publish('main')
    publisher.send(REST)
    await until(() => harness.chunksOf('live/out').length > 0, 'it receives')
  })

  test('that renames a node by was keeps the copies', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const a = await harness.published('a')
    const renamed = recordingYaml().replace('in: {', 'pub: { was: in,').replace('from: in', 'from: pub')
    await harness.reload(renamed)
    await until(() => harness.stateOf('live@a/pub') !== undefined, 'the copy has the new name')
    a.send(REST)
    await until(() => harness.chunksOf('live@a/out').length > 1, 'it still receives')
    assert.deepEqual([a.isClosed, harness.outputs.get('live@a/out')?.length], [false, 1])
  })

  test('moves the path of each copy, and its viewers stay', async () => {
    await using harness = await new PatternHarness().start(servingYaml('linger: 30s'))
    const a = await harness.published('a')
    a.send(REST)
    const viewer = harness.viewer('/live/a.ts')
    await until(() => viewer.body.length > 0, 'the viewer watches')
    await harness.reload(servingYaml('linger: 30s', 'path: "/tv/${stream}.ts", swap: x'))
    await until(
      () =>
        harness.pipeline('live@a')?.nodes.some(({ urls }) => urls?.some((url) => url.endsWith('/tv/a.ts'))) === true,
      'the new path',
    )
    assert.equal(viewer.isEnded, false)
  })

  test('a copy that cannot follow ends, the others follow, and the log has the numbers', async () => {
    const fails = new Set(['a'])
    await using harness = await new PatternHarness({
      onOpen: ({ swap, live }) => {
        if (swap === 'new' && fails.has(live)) throw new Error('not this one')
      },
    }).start(servingYaml('linger: 30s', 'path: "/live/${stream}.ts", live: "${stream}"'))
    const [a, b] = await Promise.all([harness.published('a'), harness.published('b')])
    await harness.reload(servingYaml('linger: 30s', 'path: "/live/${stream}.ts", live: "${stream}", swap: new'))
    b.send(REST)
    await until(() => a.isClosed, 'a ends')
    await until(() => harness.log.some((line) => line.includes('"followed":1,"cut":1')), 'the numbers')
    assert.deepEqual([a.refused?.code, b.refused, harness.pipelines], ['closing', undefined, ['live', 'live@b']])
  })

  test('takes a publisher that comes meanwhile', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    await Promise.all(Array.from({ length: 50 }, (_, index) => harness.published(`k${index}`)))
    const begun = performance.now()
    const reloading = harness.reload(recordingYaml('linger: 300ms', 'swap: "${stream}"'))
    await harness.published('late')
    assert.ok(performance.now() - begun < 1000)
    await reloading
  })

  test('rolls the specification back if a copy fails in its probation', async () => {
    let fail: () => void = () => undefined
    const opened: string[] = []
    await using harness = await new PatternHarness({
      onOpen: ({ swap }, run) => {
        opened.push(swap)
        if (swap === 'bad') fail = run
      },
    }).start(servingYaml('linger: 30s'))
    const a = await harness.published('a')
    await harness.reload(servingYaml('linger: 30s', 'path: "/live/${stream}.ts", swap: bad'))
    using _ = flow(a)
    await until(() => harness.log.some((line) => line.includes('"followed":1')), 'the copy follows')
    fail()
    await until(() => harness.rolledBack.length > 0, 'it is rolled back')
    assert.equal(harness.rolledBack[0]?.node, 'live/out')
    const { swap } = harness.engine.graph.pipelines[0]!.nodes[1]!.options as { readonly swap: string }
    assert.equal(swap, '')
    await until(() => opened.length === 3 && harness.stateOf('live@a/out') === 'ready', 'the copy runs as before')
    assert.deepEqual(opened, ['', 'bad', ''])
    assert.equal(a.isClosed, false)
  })
})
