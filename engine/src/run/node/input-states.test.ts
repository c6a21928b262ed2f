import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk, Received } from '../../plugin/contract.js'
import { buildTs, withoutPids } from '../../testing/index.js'
import { bytesInputOf, chunk, inputOf, RunnerFixture, ScriptedSource, settings, testError } from '../run.test.kit.js'
import { InputRunner } from './input-runner.js'
import { connected, Harness, type Item } from './input-states.test.kit.js'

const stream = buildTs({ durationS: 2 }).bytes
const SO_FAR = 'connected, no packets so far'
const SILENT = 'connected, no packets for 5 s'

describe('an input that is connected', () => {
  test('waits for packets, is ready once they come, and waits again when none have come for 5 s', async () => {
    await using harness = await connected()
    assert.equal(harness.state, `waiting: ${SO_FAR}`)
    harness.source.next(stream.slice())
    assert.equal(harness.state, 'ready')
    harness.pass(4)
    assert.equal(harness.state, 'ready')
    harness.pass(60)
    assert.equal(harness.state, `waiting: ${SILENT}`)
    harness.source.next(stream.slice())
    assert.equal(harness.state, 'ready')
    assert.deepEqual(harness.events, ['node.ready', 'node.waiting', 'node.ready'])
    assert.deepEqual([harness.input.restarts, harness.source.attempts, harness.source.disposals], [0, 1, 0])
  })

  test('holds its resources all the time', async () => {
    await using harness = await connected()
    assert.equal(harness.input.holdsResources, true)
    harness.pass(10)
    assert.equal(harness.input.holdsResources, true)
    harness.source.error(testError('TEST_RETRY', 'gone'))
    assert.equal(harness.input.holdsResources, false)
  })

  test('says that it receives junk, and is ready when packets follow', async () => {
    await using harness = await connected()
    harness.source.next(new Uint8Array(50_000).fill(1))
    assert.equal(harness.state, `waiting: ${SO_FAR}`)
    harness.pass(10)
    assert.equal(harness.state, 'waiting: connected, 50.0 kB received but no MPEG-TS packets found')
    assert.deepEqual(harness.events, ['node.waiting'])
    harness.source.next(stream.slice())
    assert.equal(harness.state, 'ready')
  })

  test('logs each time that it becomes silent, once', async () => {
    await using harness = await connected()
    harness.pass(60)
    const lines = harness.fixture.lines.filter(({ msg }) => msg === 'waiting')
    assert.deepEqual(
      lines.map(({ node, why }) => [node, why]),
      [['one/main', SILENT]],
    )
  })

  test('is not silent while readers hold it', async () => {
    await using harness = await connected(true)
    harness.source.next(stream.slice())
    harness.input.port.noteBackpressure(true)
    assert.equal(harness.source.holds, 1)
    harness.pass(60)
    assert.equal(harness.state, 'ready')
    harness.input.port.noteBackpressure(false)
    harness.pass(4)
    assert.equal(harness.state, 'ready')
    harness.pass(1)
    assert.equal(harness.state, `waiting: ${SILENT}`)
  })

  test('is silent while readers hold, if it cannot wait', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    harness.input.port.noteBackpressure(true)
    harness.pass(10)
    assert.equal(harness.state, `waiting: ${SILENT}`)
  })

  test('is degraded while its picture has stopped and its sound goes on', async () => {
    await using harness = await connected()
    const tv = buildTs({ durationS: 4, pcr: { pid: 0x101 } })
    const { endPts90k: startPts90k, nextCounters: startCounters } = tv
    const more = { durationS: 4, pcr: { pid: 0x101 }, startPts90k, startCounters }
    harness.source.next(tv.bytes.slice())
    harness.pass(1)
    assert.equal(harness.state, 'ready')
    assert.equal(harness.input.status().lead?.pid, 0x100)
    harness.source.next(withoutPids(buildTs(more).bytes, 0x100).slice())
    harness.pass(3)
    const why = 'announced PID 0x100 silent, audio leads'
    assert.equal(harness.state, `degraded: ${why}`)
    // Viewers can start, with the sound.
    assert.doesNotMatch(harness.input.whyNoStart, /silent/)
    assert.equal(harness.input.status().lead?.media, 'audio')
    assert.deepEqual(
      harness.fixture.lines.filter((line) => line.why === why).map(({ node }) => node),
      ['one/main'],
    )
    harness.source.next(buildTs({ ...more, startPts90k: startPts90k + 4 * 90_000 }).bytes.slice())
    harness.pass(1)
    assert.equal(harness.state, 'ready')
  })

  test('says once that an announced picture never came, which is no fault', async () => {
    await using harness = await connected()
    for (let second = 0; second < 8; second += 4) {
      const bytes = buildTs({ durationS: 4, pcr: { pid: 0x101 }, startPts90k: second * 90_000 }).bytes
      harness.source.next(withoutPids(bytes, 0x100).slice())
      harness.pass(2)
    }
    assert.equal(harness.state, 'ready')
    const why = 'announced PID 0x100 silent, audio leads'
    assert.equal(harness.fixture.lines.filter((line) => line.why === why).length, 1)
  })

  test('and degraded waits with both reasons while no packets come', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    harness.context.degraded('the second URL is in use')
    assert.equal(harness.state, 'degraded: the second URL is in use')
    harness.pass(10)
    assert.equal(harness.state, 'waiting: the second URL is in use, no packets for 5 s')
    harness.context.ready()
    assert.equal(harness.state, `waiting: ${SILENT}`)
  })

  test('is ready again at once when it was degraded and packets come all the time', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    harness.context.degraded('slow')
    harness.context.ready()
    assert.equal(harness.state, 'ready')
  })

  test('counts the packets of all generations', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    harness.source.next({ boundary: true, timeline: 'elapsed' })
    assert.equal(harness.input.packets, stream.length / 188)
    harness.source.next(stream.slice())
    harness.source.complete()
    assert.equal(harness.input.packets, (2 * stream.length) / 188)
  })

  test('stays ended when it has ended', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    harness.source.complete()
    harness.pass(10)
    assert.equal(harness.state, 'ended')
    assert.deepEqual(harness.events, ['node.ready', 'node.ended'])
  })

  test('waits for packets of each attempt, and keeps the reason of a failure until the next one', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    harness.source.error(testError('TEST_RETRY', 'gone'))
    harness.input.sample()
    assert.equal(harness.state, 'waiting: gone')
    harness.fixture.clock.advance(1000)
    assert.equal(harness.state, 'opening: gone')
    // The connection takes longer than silence may last.
    harness.pass(20)
    assert.equal(harness.state, 'opening: gone')
    harness.context.ready()
    harness.pass(1)
    assert.equal(harness.state, `waiting: ${SO_FAR}`)
    harness.source.next(stream.slice())
    assert.equal(harness.state, 'ready')
    assert.deepEqual([harness.input.restarts, harness.events.at(-1)], [1, 'node.ready'])
  })

  test('is ready at once if packets came before it said that it is up', async () => {
    await using harness = new Harness(new ScriptedSource<Item>(), bytesInputOf)
    await harness.input.start()
    harness.source.next(stream.slice())
    assert.equal(harness.state, 'opening')
    harness.context.ready()
    assert.equal(harness.state, 'ready')
  })

  test('is not ready before it is subscribed, even if it says so when it opens', async () => {
    await using harness = new Harness(new ScriptedSource<Item>(), (open) =>
      bytesInputOf((context) => {
        context.ready()
        return open(context)
      }),
    )
    await harness.input.start()
    assert.deepEqual([harness.state, harness.events], [`waiting: ${SO_FAR}`, []])
  })

  test('and emits chunks is ready with the first chunk', async () => {
    await using harness = new Harness<AnyChunk>(new ScriptedSource(), inputOf)
    await harness.input.start()
    harness.context.ready()
    assert.equal(harness.state, `waiting: ${SO_FAR}`)
    harness.source.next(chunk(0))
    assert.equal(harness.state, 'ready')
    harness.pass(10)
    assert.equal(harness.state, `waiting: ${SILENT}`)
  })
})

describe('an input that is idle', () => {
  test('stays idle, however long nothing comes', async () => {
    await using harness = await connected()
    harness.context.idle('nobody publishes')
    harness.pass(60)
    assert.equal(harness.state, 'idle: nobody publishes')
    assert.deepEqual([harness.input.holdsResources, harness.events], [true, ['node.idle']])
  })

  test('is ready when packets come, and waits when they stop', async () => {
    await using harness = await connected()
    harness.context.idle('nobody publishes')
    harness.pass(60)
    harness.source.next(stream.slice())
    assert.equal(harness.state, 'ready')
    harness.pass(10)
    assert.equal(harness.state, `waiting: ${SILENT}`)
    assert.deepEqual(harness.events, ['node.idle', 'node.ready', 'node.waiting'])
  })

  test('waits for the packets of a publisher that has connected', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    const states: string[] = []
    harness.input.state$.subscribe(({ state }) => states.push(state))
    harness.context.idle('nobody publishes')
    assert.deepEqual(states, ['ready', 'idle'])
    harness.pass(60)
    harness.context.ready()
    assert.equal(harness.state, `waiting: ${SO_FAR}`)
    harness.pass(4)
    assert.equal(harness.state, `waiting: ${SO_FAR}`)
    harness.source.next(stream.slice())
    assert.equal(harness.state, 'ready')
  })

  test('stays idle when the last bytes of the publisher who has left are cut', async () => {
    await using harness = await connected()
    harness.source.next(stream.slice())
    harness.context.idle('nobody publishes')
    harness.source.next({ boundary: true, timeline: 'elapsed' })
    harness.pass(10)
    assert.equal(harness.state, 'idle: nobody publishes')
  })

  test('masks secrets in its reason', async () => {
    await using harness = await connected()
    harness.context.idle('nobody publishes to hunter22')
    assert.equal(harness.state, 'idle: nobody publishes to ***')
  })

  test('and has failed ignores a late report', async () => {
    await using harness = await connected()
    harness.source.error(testError('TEST_RETRY', 'gone'))
    harness.context.idle('nobody publishes')
    assert.equal(harness.state, 'waiting: gone')
  })
})

test('an input tells when its stream was last interrupted: by a failure, a boundary that took time, the end of a publisher', async () => {
  await using harness = await connected()
  const { input, source, fixture } = harness
  assert.equal(input.port.lostAtMs, -Infinity)
  const interrupted = (what: () => void): boolean => {
    fixture.clock.advance(1000)
    what()
    return input.port.lostAtMs === fixture.clock.nowMs()
  }
  assert.equal(
    interrupted(() => source.next(stream.slice())),
    false,
  )
  assert.equal(
    interrupted(() => source.next({ boundary: true, timeline: 'contiguous' })),
    false,
  )
  assert.equal(
    interrupted(() => source.next({ boundary: true, timeline: 'elapsed' })),
    true,
  )
  assert.equal(
    interrupted(() => harness.context.idle('nobody publishes')),
    true,
  )
  assert.equal(
    interrupted(() => source.error(testError('TEST_RETRY', 'gone'))),
    true,
  )
})

test('what follows an interruption is never older than it, whatever the source says about when it was received', async () => {
  const interruptions = [
    (harness: Harness<Received>) => harness.source.next({ boundary: true, timeline: 'elapsed' }),
    (harness: Harness<Received>) => harness.context.idle('nobody publishes'),
    (harness: Harness<Received>) => harness.context.waiting('no program writes into the pipe'),
  ]
  for (const interrupt of interruptions) {
    await using harness = new Harness(new ScriptedSource<Received>(), bytesInputOf)
    await harness.input.start()
    harness.context.ready()
    const { input, source, fixture } = harness
    source.next(stream.slice())
    fixture.clock.advance(1000)
    const receivedAtMs = fixture.clock.nowMs() - 0.3
    interrupt(harness)
    const times: number[] = []
    input.port.connect({ push: (chunk) => times.push(chunk.receivedAtMs), complete: () => undefined })
    source.next({ bytes: stream.slice(), receivedAtMs })
    fixture.clock.advance(1000)
    assert.ok(times.length > 0)
    assert.ok(times.every((timeMs) => timeMs >= input.port.lostAtMs))
  }
})

test('an input that nobody sends to waits and is not connected, is told once, and is ready with the first packets', async () => {
  await using harness = await connected()
  const { input, fixture } = harness
  for (let time = 0; time < 3; time++) harness.context.waiting('no program writes into the pipe')
  assert.deepEqual([harness.state, input.isConnected], ['waiting: no program writes into the pipe', false])
  assert.deepEqual([input.holdsResources, input.whyNoStart], [true, 'no program writes into the pipe'])
  harness.pass(60)
  assert.equal(harness.state, 'waiting: no program writes into the pipe')
  const told = (): unknown[] => fixture.lines.map(({ msg }) => msg)
  assert.deepEqual(told(), ['waiting'])
  harness.source.next(stream.slice())
  assert.deepEqual([harness.state, input.isConnected], ['ready', true])
  harness.context.waiting('the writer has closed the pipe')
  assert.deepEqual([harness.state, input.isConnected], ['waiting: the writer has closed the pipe', false])
  harness.context.ready()
  assert.deepEqual([harness.state, input.isConnected], [`waiting: ${SO_FAR}`, true])
  assert.deepEqual(told(), ['waiting', 'ready again', 'waiting'])
})

test('an input that fails without a packet whenever it is connected is not said to be ready again, until packets come', async () => {
  await using harness = await connected()
  const told = (): unknown[] => harness.fixture.lines.map(({ msg }) => msg)
  for (const attempt of [1, 2, 3]) {
    harness.source.error(testError('TEST_RETRY', 'gone'))
    harness.fixture.clock.advance(120_000)
    assert.equal(harness.source.attempts, attempt + 1)
    harness.context.ready()
    assert.ok(!told().includes('ready again'), JSON.stringify(told()))
  }
  harness.source.next(stream.slice())
  assert.deepEqual([harness.state, told().filter((msg) => msg === 'ready again').length], ['ready', 1])
})

test('the log says that no packets come, and that they come again', async () => {
  await using harness = await connected()
  const told = (): unknown[] => harness.fixture.lines.map(({ msg }) => msg)
  harness.source.next(stream.slice())
  harness.pass(60)
  assert.deepEqual(told(), ['waiting'])
  harness.source.next(stream.slice())
  assert.deepEqual(told(), ['waiting', 'ready again'])
})

test('what goes wrong while a reload tries an input is told as such, and not once it runs', async () => {
  using fixture = new RunnerFixture()
  const source = new ScriptedSource<Item>()
  const definition = bytesInputOf(() => source)
  const input = new InputRunner(settings('one/main', definition), fixture.services, { isStandby: true })
  await input.start()
  source.error(testError('TEST_RETRY', 'refused'))
  input.activate()
  fixture.clock.advance(120_000)
  source.error(testError('TEST_RETRY', 'gone'))
  const told = fixture.lines.map(({ msg, node, reload }) => [msg, node, reload])
  assert.deepEqual(told, [
    ['refused', 'one/main', true],
    ['gone', 'one/main', undefined],
  ])
  await input.stop('test')
})
