import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
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

  test('lets viewers wait for a stream that nobody publishes, like those of a live path', async () => {
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
    assert.equal(all.filter(({ refused }) => refused?.code === 'busy').length, 10_000 - 256)
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

function nullPackets(count: number): Uint8Array {
  const bytes = new Uint8Array(188 * count).fill(0xff)
  for (let at = 0; at < bytes.length; at += 188) bytes.set([0x47, 0x1f, 0xff, 0x10], at)
  return bytes
}
