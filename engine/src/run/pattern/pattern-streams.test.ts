import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { specifiedKind } from '../../graph/specified-kind.js'
import { until } from '../../listen/loopback.test.kit.js'
import { JUNK, NULLS, PatternHarness, recordingYaml, servingYaml, STREAM } from './pattern.test.kit.js'

const copies = (harness: PatternHarness): readonly string[] => harness.pipelines.filter((name) => name.includes('@'))

describe('a pattern pipeline', () => {
  test('is idle until somebody publishes, and each key gets a copy', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    assert.deepEqual([harness.pipelines, harness.stateOf('live/in')], [['live'], 'idle'])
    const { ready } = harness.engine.readiness()!
    assert.equal(ready, true)
    const [a, b] = await Promise.all([harness.published('a'), harness.published('b')])
    assert.deepEqual(harness.pipelines, ['live', 'live@a', 'live@b'])
    assert.equal(harness.stateOf('live/in'), 'ready')
    a.send(STREAM.slice(188 * 200))
    await until(() => harness.chunksOf('live@a/out').length > 1, 'chunks of a')
    assert.deepEqual([a.accepts, a.subscriptions, b.refused], [1, 1, undefined])
    const bytes = Buffer.concat(harness.chunksOf('live@a/out').map((chunk) => chunk.bytes))
    assert.deepEqual(bytes.subarray(0, 188 * 100), Buffer.from(STREAM.subarray(0, 188 * 100)))
  })

  test('says who publishes, and where streams are taken and can be watched', async () => {
    await using harness = await new PatternHarness().start(servingYaml())
    const { client } = (await harness.published('a')).who
    assert.deepEqual(harness.detailsOf('live@a/in'), { publisher: { client } })
    assert.ok(harness.log.some((line) => line.includes('a stream is published') && line.includes(client)))
    const urls = harness.engine.urls().filter(({ label }) => label === 'live/out')
    assert.deepEqual(
      urls.map(({ url }) => new URL(url).pathname),
      [encodeURI('/live/${stream}.ts')],
    )
  })

  test('has the viewers of all copies, and is ready when they are', async () => {
    await using harness = await new PatternHarness().start(servingYaml('linger: 30s'))
    for (const key of ['a', 'b']) (await harness.published(key)).send(STREAM.slice(188 * 200))
    for (const key of ['a', 'b', 'b']) harness.viewer(`/live/${key}.ts`)
    const viewersOf = (node: string): number => harness.engine.clients(node).length
    await until(() => viewersOf('live/out') === 3, 'three viewers')
    assert.deepEqual(['live@b/out', 'live/in', 'live@b'].map(viewersOf), [2, 0, 0])
    // The nodes of copies are shown a little later.
    await until(() => harness.engine.readiness({ node: 'live/out' })?.ready === true, 'both are ready')
  })

  test('keeps the copy for a publisher that returns, on a timeline that goes on', async () => {
    await using harness = await new PatternHarness().start(recordingYaml('linger: 30s'))
    const first = await harness.published('a')
    first.send(STREAM.slice(188 * 200))
    await until(() => harness.chunksOf('live@a/out').length > 1, 'chunks')
    first.leave()
    await until(() => harness.stateOf('live@a/in') === 'idle', 'it is idle')
    const before = harness.chunksOf('live@a/out').length
    const second = harness.publish('a')
    second.send(STREAM.slice(188 * 200))
    await until(() => harness.chunksOf('live@a/out').length > before + 1, 'more chunks')
    const chunks = harness.chunksOf('live@a/out')
    assert.deepEqual(chunks.map(({ origin }) => origin.generation).at(-1), 1)
    assert.equal(chunks.find(({ origin }) => origin.generation === 1)?.discontinuity, 'source')
    assert.equal(harness.outputs.get('live@a/out')?.length, 1)
  })

  test('ends the copy when nobody returns, as a removed pipeline ends', async () => {
    await using harness = await new PatternHarness().start(servingYaml('linger: 200ms'))
    const publisher = await harness.published('a')
    publisher.send(STREAM.slice(188 * 200))
    const viewer = harness.viewer('/live/a.ts')
    await until(() => viewer.body.length > 0, 'the viewer watches')
    publisher.leave()
    await until(() => copies(harness).length === 0, 'the copy has ended')
    await until(() => viewer.isEnded, 'the viewer ends')
    assert.equal(harness.stateOf('live/in'), 'idle')
    await harness.published('a')
  })

  test('lets viewers wait for a stream that nobody publishes, like every live path', async () => {
    await using harness = await new PatternHarness().start(servingYaml())
    const [early, wrong, head] = [
      harness.viewer('/live/a.ts'),
      harness.viewer('/live/a%2fb.ts'),
      harness.viewer('/live/a.m3u8'),
    ]
    await until(() => wrong.status !== 0 && head.status !== 0, 'answers')
    assert.deepEqual([early.status, wrong.status, head.status], [0, 404, 404])
    const publisher = await harness.published('a')
    publisher.send(STREAM.slice(188 * 200))
    await until(() => early.body.length > 0, 'it becomes a viewer')
    assert.deepEqual([early.status, harness.engine.clients('live@a/out').length], [200, 1])
  })

  test('lets a publisher take over that comes from where the one before came from', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const origin = '192.0.2.1:7000'
    const first = harness.publish('a', { origin })
    await until(() => copies(harness).length === 1, 'the copy')
    const elsewhere = harness.publish('a', { origin: '192.0.2.1:7001' })
    await until(() => elsewhere.refused !== undefined, 'it is refused')
    const again = harness.publish('a', { origin })
    await until(() => first.refused !== undefined, 'it is replaced')
    assert.deepEqual([first.refused?.code, again.refused, elsewhere.refused?.code], ['replaced', undefined, 'busy'])
  })

  test('refuses a second publisher of a key, and only one of two in one tick wins', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const both = [harness.publish('a'), harness.publish('a')]
    await until(() => both.some(({ refused }) => refused !== undefined), 'one is refused')
    assert.deepEqual(
      both.map(({ refused }) => refused?.code),
      [undefined, 'busy'],
    )
    const third = harness.publish('a')
    await until(() => third.refused !== undefined, 'it is refused')
    assert.deepEqual([third.refused?.code, both[0]?.isClosed, copies(harness)], ['busy', false, ['live@a']])
  })

  test('continues with the second publisher under takeover: replace', async () => {
    await using harness = await new PatternHarness().start(recordingYaml('takeover: replace'))
    const first = await harness.published('a')
    const second = harness.publish('a')
    await until(() => first.isClosed, 'the first is gone')
    assert.deepEqual([first.refused?.code, first.disposals, second.refused], ['replaced', 1, undefined])
    second.send(STREAM.slice(188 * 200))
    await until(() => harness.chunksOf('live@a/out').at(-1)?.origin.generation === 1, 'the second generation')
    assert.equal(harness.outputs.get('live@a/out')?.length, 1)
  })

  test('takes no more than maxStreams', async () => {
    await using harness = await new PatternHarness().start(recordingYaml('maxStreams: 2, linger: 100ms'))
    const [a] = await Promise.all([harness.published('a'), harness.published('b')])
    const third = harness.publish('c')
    await until(() => third.refused !== undefined, 'it is refused')
    assert.equal(third.refused?.code, 'full')
    a.leave()
    await until(() => !copies(harness).includes('live@a'), 'a has ended')
    await harness.published('c')
  })

  test('asks the auth provider before it accepts', async () => {
    await using harness = await new PatternHarness().start(recordingYaml('auth: studio'))
    const stranger = harness.publish('a')
    await until(() => stranger.refused !== undefined, 'it is refused')
    assert.deepEqual([stranger.refused?.code, stranger.accepts], ['unauthorized', 0])
    await harness.published('a', { credentials: { user: 'anna', password: 'secret' } })
  })

  test('refuses keys that are not allowed, before anything else', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    for (const key of ['', '..', 'a/b', '../../etc', 'x'.repeat(1024), 'a b']) {
      const publisher = harness.publish(key)
      assert.deepEqual([publisher.refused?.code, publisher.accepts], ['bad-key', 0])
    }
    assert.deepEqual(copies(harness), [])
  })

  test('takes other keys for what they are: names of pipelines, of streams and of properties, with dots', async () => {
    await using harness = await new PatternHarness().start(servingYaml('linger: 30s'))
    const keys = ['live', 'a', 'a.ts', '__proto__', 'constructor', 'live.a']
    await Promise.all(keys.map((key) => harness.published(key)))
    assert.deepEqual([...copies(harness)].sort(), keys.map((key) => `live@${key}`).sort())
    for (const key of keys) {
      const { pattern, stream } = harness.pipeline(`live@${key}`) ?? {}
      assert.deepEqual([pattern, stream], ['live', key])
    }
    const [short, long] = [harness.viewer('/live/a.ts'), harness.viewer('/live/a.ts.ts')]
    await until(() => harness.engine.clients('live@a.ts/out').length === 1, 'one watches the longer')
    assert.equal(harness.engine.clients('live@a/out').length, 1)
    for (const viewer of [short, long]) viewer.close()
  })

  test('specifies the kind of the nodes of its copies, before they run and afterwards', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const kinds = ['live@a/in', 'live@a/out', 'live/in', 'live@a/other', 'other@a/in', 'services/in']
    assert.deepEqual(
      kinds.map((id) => specifiedKind(harness.engine.graph, id)),
      ['input', 'output', 'input', undefined, undefined, undefined],
    )
  })

  test('follows the rules of an input of one key, also after it was renamed', async () => {
    const text = recordingYaml('', 'note: x').replace('"*"', 'main')
    const renamed = text.replace('in: { type', 'pub: { type').replace('from: in', 'from: pub')
    await using harness = await new PatternHarness().start(text)
    await harness.reload(renamed.replace('pub: { type', 'pub: { was: in, type'))
    await harness.reload(renamed.replace('main,', 'main, auth: studio,'))
    const stranger = harness.publish('main')
    await until(() => stranger.refused !== undefined, 'it is refused')
    assert.equal(stranger.refused?.code, 'unauthorized')
  })

  test('is the input of one key where streams is a name', async () => {
    const text = recordingYaml('', 'note: x').replace('"*"', 'main')
    await using harness = await new PatternHarness().start(text)
    assert.deepEqual([harness.pipelines, harness.stateOf('live/in')], [['live'], 'idle'])
    const other = harness.publish('other')
    assert.equal(other.refused?.code, 'bad-key')
    const publisher = harness.publish('main')
    publisher.send(STREAM.slice(188 * 200))
    await until(() => harness.chunksOf('live/out').length > 1, 'chunks')
    assert.equal(harness.stateOf('live/in'), 'ready')
    publisher.leave()
    await until(() => harness.stateOf('live/in') === 'idle', 'idle again')
  })
})

describe('publishers that send no stream', () => {
  for (const [name, bytes] of [
    ['junk', JUNK],
    ['zeros', NULLS],
    ['null packets', nullPackets(4000)],
  ] as const) {
    test(`are refused: ${name}`, async () => {
      await using harness = await new PatternHarness().start(recordingYaml())
      const publisher = harness.publishers.connect('a')
      for (let sent = 0; sent < 2 * 1024 * 1024 && !publisher.isClosed; sent += bytes.length) publisher.send(bytes)
      await until(() => publisher.refused !== undefined, 'it is refused')
      assert.deepEqual([publisher.refused?.code, copies(harness)], ['not-media', []])
    })
  }

  test('and leave are forgotten', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    for (let count = 0; count < 500; count++) {
      const publisher = harness.publishers.connect('a')
      publisher.leave()
      await Promise.resolve()
    }
    await until(() => (harness.detailsOf('live/in') as { admitting: number }).admitting === 0, 'none waits')
    await harness.published('a')
  })

  test('ten thousand of them are bounded, told once, and nobody else notices', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const all = Array.from({ length: 10_000 }, (_, index) =>
      harness.publishers.connect(`k${index}`, { address: `192.0.2.${index % 200}` }),
    )
    const { admitting } = harness.detailsOf('live/in') as { readonly admitting: number }
    assert.equal(admitting, 256)
    const refusals = (): number => all.filter(({ refused }) => refused?.code === 'overloaded').length
    await until(() => refusals() === 10_000 - 256, 'the others are refused')
    assert.equal(harness.log.filter((line) => line.includes('refused a publisher')).length, 1)
    for (const publisher of all) publisher.leave()
    await until(() => (harness.detailsOf('live/in') as { admitting: number }).admitting === 0, 'none waits')
    await harness.published('a')
  })

  test('from one address leave room for others', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    const silent = Array.from({ length: 100 }, (_, index) => harness.publishers.connect(`k${index}`))
    assert.equal(silent.filter(({ refused }) => refused !== undefined).length, 36)
    await harness.published('a', { address: '198.51.100.7' })
  })

  test('from many addresses leave room for one that sends a stream', async () => {
    await using harness = await new PatternHarness().start(recordingYaml())
    for (let index = 0; index < 600; index++) {
      harness.publishers.connect(`k${index}`, { address: `10.0.${index % 6}.1` })
      harness.publishers.connect(`l${index}`, { address: `2001:db8::${index % 100}:${index}` })
    }
    await harness.published('a', { address: '198.51.100.7' })
  })

  test('that come and go all the time make few events', async () => {
    await using harness = await new PatternHarness().start(recordingYaml('linger: 30s'))
    await harness.published('a')
    const before = harness.engine.events.recent().length
    for (let count = 0; count < 30; count++) {
      const publisher = harness.publish('a')
      await until(() => publisher.accepts === 1 || publisher.refused !== undefined, 'it is admitted')
      publisher.leave()
    }
    assert.ok(harness.engine.events.recent().length - before < 10)
    assert.deepEqual(copies(harness), ['live@a'])
  })
})

describe('copies that come and go all the time', () => {
  test('serve a publisher that returns while the nodes still open', async () => {
    let open: () => void = () => undefined
    const opened = new Promise<void>((resolve) => (open = resolve))
    await using harness = await new PatternHarness({ opened: () => opened }).start(servingYaml('linger: 0s'))
    const first = harness.publish('a')
    await until(() => copies(harness).length === 1, 'its copy opens')
    first.leave()
    const second = harness.publish('a')
    await until(() => second.accepts === 1, 'it is admitted')
    open()
    await until(() => harness.stateOf('live@a/in') === 'ready', 'it publishes')
    assert.deepEqual([second.refused, second.isClosed, copies(harness)], [undefined, false, ['live@a']])
    second.leave()
    await until(() => copies(harness).length === 0, 'the copy ends')
  })

  test('have their paths only when those of an earlier copy of the key are free', async () => {
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    let openings = 0
    // The other copy tries the reload.
    const opened = (): Promise<void> => (++openings > 3 ? gate : Promise.resolve())
    await using harness = await new PatternHarness({ opened }).start(servingYaml('linger: 0s'))
    await harness.published('other')
    const first = await harness.published('a')
    await harness.reload(servingYaml('linger: 0s', 'swap: new, path: "/live/${stream}.ts"'))
    await until(() => openings === 4, 'it is about to follow')
    first.leave()
    await until(() => copies(harness).length === 2 && harness.detailsOf('live/in') !== undefined, 'it follows')
    const second = harness.publish('a')
    await until(() => second.accepts === 1, 'it is admitted')
    open()
    await until(() => harness.stateOf('live@a/in') === 'ready', 'it publishes')
    assert.deepEqual([second.refused, second.isClosed], [undefined, false])
    assert.deepEqual(
      harness.log.filter((line) => line.includes('"error"')),
      [],
    )
  })

  test('are as many as may be published, those included whose viewers still receive the rest', async () => {
    let drain: () => void = () => undefined
    const drained = new Promise<void>((resolve) => (drain = resolve))
    await using harness = await new PatternHarness({ drained }).start(servingYaml('linger: 0s, maxStreams: 2'))
    for (const key of ['a', 'b']) (await harness.published(key)).leave()
    await until(() => copies(harness).length === 0, 'both are ending')
    const third = harness.publish('c')
    await until(() => third.refused !== undefined, 'the third is refused')
    assert.deepEqual(third.refused, { code: 'full', why: '2 streams are ending' })
    drain()
    await until(() => {
      if (harness.stateOf('live@d/in') === undefined) harness.publish('d')
      return harness.stateOf('live@d/in') === 'ready'
    }, 'there is room again')
  })
})

function nullPackets(count: number): Uint8Array {
  const bytes = new Uint8Array(188 * count).fill(0xff)
  for (let at = 0; at < bytes.length; at += 188) bytes.set([0x47, 0x1f, 0xff, 0x10], at)
  return bytes
}
