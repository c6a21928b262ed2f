import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { engineStatus, inputStatus, statusSource } from '../../api/status-fixture.test.kit.js'
import { until } from '../../listen/loopback.test.kit.js'
import { nodeLog } from '../../observe/log.js'
import { operatorError } from '../../observe/operator-errors.js'
import { type NodeAction, type Operator, type TapReader } from '../../observe/operator.js'
import type { AnyChunk } from '../../plugin/contract.js'
import { keepStreams } from '../cli-streams.test.kit.js'
import { TestApi, TOKEN } from '../control-api.test.kit.js'
import type { SecretInput } from '../read-secret.js'
import { eventsVerb } from './events.js'
import { explainVerb } from './explain.js'
import { logsVerb } from './logs.js'
import { disableVerb, enableVerb, restartVerb } from './node-actions.js'
import { statusVerb } from './status.js'
import { tapVerb } from './tap.js'

const env = { ENGINE_TOKEN: TOKEN }
const PACKET = Uint8Array.from({ length: 188 }, (_, i) => (i === 0 ? 0x47 : i === 3 ? 0x10 : i))

class ScriptedOperator implements Operator {
  readonly acts: string[] = []
  readonly readers: TapReader[] = []
  closed = 0

  act(id: string, action: NodeAction): ReturnType<Operator['act']> {
    this.acts.push(`${action} ${id}`)
    if (id === 'live/over') return Promise.reject(operatorError('NODE_ACTION_OVER', 'live/over has ended'))
    const node = action === 'disable' ? ({ ...inputStatus, state: 'stopped', why: 'disabled' } as const) : inputStatus
    return Promise.resolve({ action, node, viewers: 12 })
  }

  options(): undefined {}

  explain(node: string): ReturnType<Operator['explain']> {
    if (node !== 'live/ts') return undefined
    const evidence = [{ node: 'live/main', what: 'waiting: \u001b[2J404' }]
    return {
      node,
      isWell: false,
      cause: 'not-found',
      at: 'live/main',
      sentence: 'live/main: 404.',
      hint: 'Look.',
      evidence,
    }
  }

  tap(id: string, _port: string | undefined, reader: TapReader): Disposable {
    if (id === 'live/ts') throw operatorError('TAP_NO_PORT', 'live/ts has no port "out"')
    this.readers.push(reader)
    return { [Symbol.dispose]: () => void this.closed++ }
  }
}

async function startApi(): Promise<{ readonly api: TestApi; readonly operator: ScriptedOperator }> {
  const api = await TestApi.start()
  const operator = new ScriptedOperator()
  api.source = { ...statusSource, operator }
  return { api, operator }
}

function inputOf(text: string | undefined): SecretInput {
  return Object.assign(
    (async function* () {
      yield await Promise.resolve(text ?? '')
    })(),
    { isTTY: text !== undefined },
  )
}

function chunkOf(bytes: Uint8Array): AnyChunk {
  const origin = { generation: 0, seq: 0 }
  return {
    kind: 'ts',
    bytes,
    origin,
    receivedAtMs: 0,
    discontinuity: false,
    marks: new Int32Array(0),
    randomAccess: true,
  }
}

describe('restart, enable and disable', () => {
  const run = async (verb: typeof restartVerb, node: string, answer: string | undefined, yes = false) => {
    const { api, operator } = await startApi()
    await using _api = api
    const streams = keepStreams(env)
    const context = { streams, folder: '/nowhere', input: () => inputOf(answer) }
    const code = await verb.run(context, node, { api: api.url, yes })
    return { code, acts: operator.acts, err: streams.errText() }
  }

  test('ask first if viewers are connected, also behind the node', async () => {
    const agreed = await run(restartVerb, 'live/main', 'y\n')
    assert.deepEqual([agreed.code, agreed.acts], [0, ['restart live/main']])
    assert.match(agreed.err, /^12 viewers are connected\. Restart live\/main\? \[y\/N\] live\/main: ready; 12 viewers/)
    const refused = await run(disableVerb, 'live/ts', 'n\n')
    assert.deepEqual([refused.code, refused.acts], [1, []])
  })

  test('do nothing without --yes if nobody can be asked', async () => {
    const refused = await run(restartVerb, 'live/ts', undefined)
    assert.deepEqual([refused.code, refused.acts], [2, []])
    assert.match(refused.err, /add --yes to restart it/)
    const forced = await run(disableVerb, 'live/ts', undefined, true)
    assert.deepEqual([forced.code, forced.acts], [0, ['disable live/ts']])
    assert.match(forced.err, /stopped, disabled/)
  })

  test('ask before a service or a listener is touched, whose users nobody can count', async () => {
    for (const node of ['services/metrics', 'listeners/rtmp']) {
      const agreed = await run(restartVerb, node, 'y\n')
      assert.deepEqual([agreed.code, agreed.acts], [0, [`restart ${node}`]])
      assert.match(agreed.err, new RegExp(`^Whoever uses it waits for it\\. Restart ${node}\\? \\[y/N\\]`))
      const refused = await run(disableVerb, node, undefined)
      assert.deepEqual([refused.code, refused.acts], [2, []])
      assert.match(refused.err, /whoever uses it waits for it: add --yes to disable it/)
    }
  })

  test('enable asks nobody; refusals and wrong ids are reported', async () => {
    assert.deepEqual((await run(enableVerb, 'live/main', undefined)).acts, ['enable live/main'])
    const over = await run(enableVerb, 'live/over', undefined)
    assert.equal(over.code, 1)
    assert.match(over.err, /live\/over has ended/)
    assert.equal((await run(restartVerb, 'main', undefined)).code, 2)
  })
})

describe('explain', () => {
  test('prints the sentence, the help and the evidence, without escape sequences', async () => {
    const { api } = await startApi()
    await using _api = api
    const streams = keepStreams(env)
    assert.equal(await explainVerb.run({ streams, folder: '/nowhere' }, 'live/ts', { api: api.url }), 1)
    assert.equal(streams.outText(), 'live/main: 404.\n  = help: Look.\n  live/main  waiting: ?[2J404\n')
    assert.equal(
      await explainVerb.run({ streams: keepStreams(env), folder: '/nowhere' }, 'live/no', { api: api.url }),
      1,
    )
  })
})

describe('events', () => {
  test('prints what is recorded, and ends', async () => {
    const { api } = await startApi()
    await using _api = api
    api.events.emit({ kind: 'node.waiting', node: 'live/main', data: { why: 'gone' } })
    api.events.emit({ kind: 'engine.running' })
    const streams = keepStreams()
    assert.equal(await eventsVerb.run({ streams, folder: '/nowhere' }, { api: api.url }), 0)
    assert.match(
      streams.outText(),
      /^[\d:.]{12} {2}node\.waiting {2}live\/main {2}why=gone\n[\d:.]{12} {2}engine\.running\n$/,
    )
    const json = keepStreams()
    await eventsVerb.run({ streams: json, folder: '/nowhere' }, { api: api.url, json: true })
    assert.equal(JSON.parse(json.outText().split('\n')[0] ?? '').kind, 'node.waiting')
  })

  test('with -f, connects again and continues where it stopped', async () => {
    const { api } = await startApi()
    await using _api = api
    const streams = keepStreams()
    const stop = new AbortController()
    const done = eventsVerb.run({ streams, folder: '/nowhere' }, { api: api.url, follow: true }, stop.signal)
    api.events.emit({ kind: 'one' })
    await until(() => streams.outText().includes('one'), 'the first event')
    api.disconnect()
    await until(() => streams.errText().includes('trying again'), 'it is told')
    api.events.emit({ kind: 'two' })
    await until(() => streams.outText().includes('two'), 'the event that was missed')
    stop.abort()
    assert.equal(await done, 0)
    assert.equal(streams.outText().match(/ one\n/g)?.length, 1)
  })

  test('are 69 if no engine answers, and 1 if there is no such pipeline', async () => {
    const { api } = await startApi()
    await using _api = api
    const context = { streams: keepStreams(), folder: '/nowhere' }
    assert.equal(await eventsVerb.run(context, { api: 'http://127.0.0.1:1', follow: true }), 69)
    assert.equal(await eventsVerb.run(context, { api: api.url, pipeline: 'other', follow: true }), 1)
  })
})

describe('logs', () => {
  test('prints the newest lines, and with -f those that follow', async () => {
    const { api } = await startApi()
    await using _api = api
    nodeLog(api.log, 'live/main').warn({ tries: 2 }, 'gone \u001b[2J')
    api.log.info('another')
    const streams = keepStreams()
    const show = (more: object, to = streams, signal?: AbortSignal): Promise<number> =>
      logsVerb.run({ streams: to, folder: '/nowhere' }, { api: api.url, lines: '100', ...more }, signal)
    assert.equal(await show({ level: 'warn' }), 0)
    assert.match(streams.outText(), /^[\d:.]{12} WARN {2}live\/main: gone \?\[2J \{"tries":2\}\n$/)
    assert.equal(await show({ lines: 'x' }), 2)
    const followed = keepStreams()
    const stop = new AbortController()
    const done = show({ follow: true, json: true, node: 'live', lines: '0' }, followed, stop.signal)
    const write = setInterval(() => nodeLog(api.log, 'live/ts').error('later'), 20)
    await until(() => followed.outText().includes('"message":"later"'), 'the new line')
    clearInterval(write)
    stop.abort()
    assert.equal(await done, 0)
  })
})

test('logs -f to a reader that does not read keeps nothing back, and goes on where it stopped', async () => {
  const { api } = await startApi()
  await using _api = api
  const out = new StalledOutput()
  const stop = new AbortController()
  const options = { api: api.url, lines: '0', follow: true, json: true }
  const streams = { ...keepStreams(), out }
  const done = logsVerb.run({ streams, folder: '/nowhere' }, options, stop.signal)
  const quick = keepStreams()
  const other = logsVerb.run({ streams: quick, folder: '/nowhere' }, { ...options, level: 'error' }, stop.signal)
  await untilWritten(
    () => api.log.error('first'),
    () => quick.outText() !== '' && out.text !== '',
  )
  // More than the kernel and the engine hold for one connection.
  const long = 'x'.repeat(15_000)
  for (let i = 0; i < 1000; i++) {
    api.log.warn(long)
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  api.log.error('last')
  await until(() => quick.outText().includes('"last"'), 'the other reader has everything')
  assert.ok(out.text.length < 1_000_000, String(out.text.length))
  out.release()
  await until(() => out.text.includes('"last"'), 'it goes on')
  stop.abort()
  assert.deepEqual([await done, await other], [0, 0])
})

/** Standard output into a pipe that nobody reads, after the first line. */
class StalledOutput {
  text = ''
  #isStalled = true
  readonly #waiting: (() => void)[] = []

  get writableNeedDrain(): boolean {
    return this.#isStalled && this.text !== ''
  }

  write(data: string | Uint8Array): boolean {
    this.text += typeof data === 'string' ? data : Buffer.from(data).toString('latin1')
    return !this.writableNeedDrain
  }

  once(event: 'drain' | 'error', listener: () => void): void {
    if (event === 'drain') this.#waiting.push(listener)
  }

  release(): void {
    this.#isStalled = false
    for (const listener of this.#waiting.splice(0)) listener()
  }
}

/** Writes again and again, since a reader may connect after the first time. */
async function untilWritten(write: () => void, isSeen: () => boolean): Promise<void> {
  const timer = setInterval(write, 20)
  try {
    await until(isSeen, 'the first line')
  } finally {
    clearInterval(timer)
  }
}

describe('tap', () => {
  const tap = async (as: 'ts' | 'hex' | 'summary', node: string, feed: (reader: TapReader) => void, out = {}) => {
    const { api, operator } = await startApi()
    await using _api = api
    const streams = keepStreams(env)
    Object.assign(streams.out, out)
    const done = tapVerb.run({ streams, folder: '/nowhere' }, node, { api: api.url, as, for: '5s' })
    if (node === 'live/main') {
      await until(() => operator.readers.length === 1, 'the tap is open')
      // Its response is written in the same turn as the tap is opened, or the next one.
      await new Promise((resolve) => setImmediate(resolve))
      feed(operator.readers[0]!)
    }
    return { code: await done, out: streams.outText(), err: streams.errText(), closed: operator.closed }
  }
  const three = (reader: TapReader): void => {
    for (let i = 0; i < 3; i++) reader.take(chunkOf(PACKET))
    reader.end()
  }

  test('writes the stream byte for byte', async () => {
    const { code, out, closed } = await tap('ts', 'live/main', three)
    assert.deepEqual([code, Buffer.from(out, 'latin1')], [0, Buffer.concat([PACKET, PACKET, PACKET])])
    assert.ok(closed > 0)
  })

  test('shows packets as lines, and a summary', async () => {
    const hex = await tap('hex', 'live/main', three)
    assert.equal(hex.out, `${Buffer.from(PACKET).toString('hex')}\n`.repeat(3))
    const summary = await tap('summary', 'live/main', three)
    assert.match(summary.out, /^3 packets in .*\n {2}0x0102 +3 packets/)
  })

  test('needs a node with a port, the token, and no terminal for a stream', async () => {
    const none = await tap('ts', 'live/ts', three)
    assert.deepEqual([none.code, /has no port/.test(none.err)], [1, true])
    assert.equal((await tap('ts', 'live/ts', three, { isTTY: true })).code, 2)
    const { api } = await startApi()
    await using _api = api
    const response = await fetch(`${api.url}/api/v1/pipelines/live/nodes/main/tap`)
    assert.equal(response.status, 401)
  })

  test('that breaks off keeps what it has, says so, and is 1', async () => {
    const { api, operator } = await startApi()
    await using _api = api
    const streams = keepStreams(env)
    const done = tapVerb.run({ streams, folder: '/nowhere' }, 'live/main', { api: api.url, as: 'ts', for: '5s' })
    await until(() => operator.readers.length === 1, 'the tap is open')
    await new Promise((resolve) => setImmediate(resolve))
    operator.readers[0]!.take(chunkOf(PACKET))
    await until(() => streams.outText() !== '', 'the packet has come')
    api.disconnect()
    assert.deepEqual([await done, streams.errText()], [1, 'the connection ended before the tap did\n'])
    assert.equal(streams.outText().length, PACKET.length)
    await until(() => operator.closed > 0, 'the engine has closed its end')
  })

  test('that is not read loses whole chunks and is told, and nothing waits for it', async () => {
    const { api, operator } = await startApi()
    await using _api = api
    const headers = { authorization: `Bearer ${TOKEN}` }
    const response = await new Promise<IncomingMessage>((resolve) => {
      get(`${api.url}/api/v1/pipelines/live/nodes/main/tap`, { headers, agent: false }, resolve)
    })
    const reader = operator.readers[0]!
    const large = new Uint8Array(188 * 5000)
    let slowestMs = 0
    for (let i = 0; i < 60; i++) {
      const startMs = process.cpuUsage().user / 1000
      reader.take(chunkOf(large))
      slowestMs = Math.max(slowestMs, process.cpuUsage().user / 1000 - startMs)
    }
    reader.end()
    let bytes = 0
    for await (const part of response) bytes += (part as Uint8Array).length
    const trailer = (name: string): number => Number(response.trailers[`millrace-${name}`])
    assert.equal(bytes, trailer('bytes'))
    assert.equal(bytes % large.length, 0)
    assert.ok(trailer('lost-chunks') > 0)
    assert.deepEqual(
      [trailer('chunks') + trailer('lost-chunks'), trailer('bytes') + trailer('lost-bytes')],
      [60, 60 * large.length],
    )
    assert.ok(slowestMs < 500, `one call took ${slowestMs} ms`)
  })
})

test('status --watch prints again and again, until it is stopped', async () => {
  const { api } = await startApi()
  await using _api = api
  api.status = { ...engineStatus, ready: true }
  const streams = keepStreams()
  const stop = new AbortController()
  const done = statusVerb.run({ streams, folder: '/nowhere' }, { api: api.url, watch: '1' }, stop.signal)
  await until(() => (streams.outText().match(/^engine /gm)?.length ?? 0) >= 2, 'the second one')
  stop.abort()
  assert.equal(await done, 1)
  assert.equal(await statusVerb.run({ streams, folder: '/nowhere' }, { api: api.url, watch: 'x' }), 2)
  // Without a number; stopped before the second time.
  const once = keepStreams()
  assert.equal(
    await statusVerb.run({ streams: once, folder: '/nowhere' }, { api: api.url, watch: true }, stop.signal),
    1,
  )
  assert.equal(once.outText().match(/^engine /gm)?.length, 1)
})
