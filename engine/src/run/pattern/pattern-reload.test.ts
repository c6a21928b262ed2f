import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../listen/loopback.test.kit.js'
import { flow, PatternHarness, recordingYaml, servingYaml, STREAM } from './pattern.test.kit.js'

const REST = STREAM.slice(188 * 200)

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

  test('that removes an output counts the viewers of all copies as lost', async () => {
    await using harness = await new PatternHarness().start(servingYaml('linger: 30s'))
    const publishers = [await harness.published('a'), await harness.published('ab')]
    using _ = flow(...publishers)
    const viewers = ['a', 'ab', 'ab'].map((key) => harness.viewer(`/live/${key}.ts`))
    const counted = (): number => harness.engine.viewersOf('live/out')
    await until(() => counted() === 3, 'all viewers are counted')
    const { viewersBefore, viewersLost } = await harness.reload(servingYaml('linger: 30s').replace('out:', 'other:'))
    assert.deepEqual({ viewersBefore, viewersLost }, { viewersBefore: 3, viewersLost: 3 })
    for (const viewer of viewers) await viewer.ended()
  })

  test('that takes fewer streams counts the viewers of the others as lost', async () => {
    const yaml = servingYaml('linger: 30s')
    await using harness = await new PatternHarness().start(yaml)
    const publishers = [await harness.published('a'), await harness.published('b')]
    using _ = flow(...publishers)
    const [stays, leaves] = ['a', 'b'].map((key) => harness.viewer(`/live/${key}.ts`))
    await until(() => harness.engine.viewersOf('live/out') === 2, 'both viewers are counted')
    const narrow = yaml.replace('streams: "*"', 'streams: "a*"')
    const { viewersBefore, viewersLost } = await harness.reload(narrow)
    assert.deepEqual({ viewersBefore, viewersLost }, { viewersBefore: 2, viewersLost: 1 })
    await leaves?.ended()
    assert.equal(stays?.isEnded, false)
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

  test('is followed by all copies when another one is committed while they follow', async () => {
    const two = (first: string, second: string): string =>
      recordingYaml('linger: 30s', `swap: ${first}`).replace(
        'out: {',
        `second: { type: record, from: in, swap: ${second} }, out: {`,
      )
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`)
    await using harness = await new PatternHarness().start(two('a', 'a'))
    using _ = flow(...(await Promise.all(keys.map((key) => harness.published(key)))))
    const swapped = (name: string): number =>
      keys.filter((key) => harness.outputs.get(`live@${key}/${name}`)?.length === 2).length
    await harness.reload(two('b', 'a'))
    await until(() => swapped('out') > 0 && swapped('out') < keys.length, 'some have followed')
    await harness.reload(two('b', 'b'))
    await until(() => swapped('out') === keys.length, 'all have followed the first')
    await until(() => swapped('second') === keys.length, 'all have followed the second')
  })

  test('takes a publisher that comes meanwhile', async () => {
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    let opening = { swap: '', live: '' }
    const onOpen = (mode: typeof opening): void => void (opening = mode)
    const opened = (): Promise<void> => (opening.swap === 'b' && opening.live !== 'late' ? gate : Promise.resolve())
    const yaml = (swap: string): string =>
      servingYaml('linger: 300ms', `path: "/live/\${stream}.ts", live: "\${stream}", swap: ${swap}`)
    await using harness = await new PatternHarness({ onOpen, opened }).start(yaml('a'))
    await Promise.all(Array.from({ length: 8 }, (_, index) => harness.published(`k${index}`)))
    let isOver = false
    const reloading = harness.reload(yaml('b')).then(() => (isOver = true))
    try {
      await until(() => opening.swap === 'b', 'a copy tries it')
      await harness.published('late')
      assert.equal(isOver, false)
    } finally {
      open()
    }
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
    using _ = flow(a)
    const viewer = harness.viewer('/live/a.ts')
    await until(() => viewer.body.length > 0, 'the viewer watches')
    await harness.reload(servingYaml('linger: 30s', 'path: "/live/${stream}.ts", swap: bad'))
    await until(() => harness.log.some((line) => line.includes('"followed":1')), 'the copy follows')
    fail()
    await until(() => harness.rolledBack.length > 0, 'it is rolled back')
    assert.equal(harness.rolledBack[0]?.node, 'live/out')
    const { swap } = harness.engine.graph.pipelines[0]!.nodes[1]!.options as { readonly swap: string }
    assert.equal(swap, '')
    await until(() => opened.length === 3 && harness.stateOf('live@a/out') === 'ready', 'the copy runs as before')
    assert.deepEqual(opened, ['', 'bad', ''])
    const { length } = viewer
    await until(() => viewer.length > length, 'the viewer still receives')
    assert.deepEqual([a.isClosed, viewer.isEnded], [false, false])
  })
})
