import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Graph, NodeSettings } from '@millrace/engine'
import { defineErrors, startEngine } from '@millrace/engine'
import type { OutputDefinition } from '@millrace/engine/plugin'
import { buildTs } from '@millrace/engine/testing'
import { until } from '../e2e/kit/until.js'
import { liveYaml } from './live-yaml.js'
import { settledResources, untilReleased } from './process-resources.js'
import { SILENT_LOG, TestEngine } from './test-engine.js'

const clip = buildTs({ durationS: 2 })
/** Long enough to be stopped in the middle, however slow the machine is. */
const long = buildTs({ durationS: 60, video: { bitrate: 1e6 } })
/** 30 MB: more than the kernel buffers for one viewer that does not read. */
const large = buildTs({ durationS: 20, video: { bitrate: 12e6 } })

const testError = defineErrors({
  TEST_BUG: { sentence: 'A bug.', hint: 'None.', reaction: 'bug' },
  TEST_CONFIG: { sentence: 'The options are wrong.', hint: 'None.', reaction: 'config' },
})

/** A second pipeline, appended to `liveYaml`. */
const SECOND_PIPELINE = `
  two:
    inputs: { main: { type: file, path: main.ts } }
    outputs:
      good: { type: http-ts, from: main, listener: web, path: /good.ts }
      bad: { type: http-ts, from: main, listener: web, path: /bad.ts }
`

describe('a running engine', () => {
  test('serves viewers, and leaves nothing behind when it stops', async () => {
    const before = await settledResources()
    {
      await using live = await TestEngine.create()
      await live.folder.write('main.ts', clip.bytes)
      const engine = await live.start(liveYaml())
      const viewer = await live.watch('/live.ts', 100_000)
      assert.equal(viewer.report().status, 200)
      assert.deepEqual(engine.readiness(), { ready: true, reasons: [] })
      assert.equal(live.node('one/ts').clients, 1)
      assert.equal(readdirSync(join(live.folder.path, 'state/lock')).length, 1)
      const urls = engine.urls().map(({ label }) => label)
      assert.deepEqual(urls, ['one/ts', 'status page', 'control API', 'services/metrics'])
      await Promise.all([engine.stop('test'), engine.stop('again')])
      await viewer.reader.done()
      assert.deepEqual(readdirSync(join(live.folder.path, 'state/lock')), [])
      assert.equal(engine.status().state, 'stopping')
      assert.deepEqual(engine.readiness()?.ready, false)
    }
    await untilReleased(before)
  })

  test('reports why it, a pipeline or a node is not ready', async () => {
    await using live = await TestEngine.create()
    const engine = await live.start(liveYaml())
    await until(() => live.node('one/main').state === 'waiting', 'the input waits')
    const { ready, reasons } = engine.readiness() ?? {}
    assert.equal(ready, false)
    assert.equal(reasons?.length, 1)
    assert.match(reasons?.[0] ?? '', /^one\/main: .*main\.ts.*ENOENT/)
    assert.equal(engine.readiness({ pipeline: 'one' })?.ready, false)
    assert.deepEqual(engine.readiness({ node: 'one/gops' }), { ready: true, reasons: [] })
    assert.equal(engine.readiness({ node: 'one/none' }), undefined)
    assert.equal(engine.readiness({ pipeline: 'none' }), undefined)
    await live.folder.write('main.ts', clip.bytes)
    await until(() => engine.readiness()?.ready === true, 'the engine is ready')
    assert.equal(live.node('one/main').restarts > 0, true)
  })
})

describe('an engine that cannot start', () => {
  async function refused(live: TestEngine, graph: Graph, code: string): Promise<void> {
    const before = await settledResources()
    await assert.rejects(startEngine(graph, { log: SILENT_LOG }), { code })
    const lock = join(live.folder.path, 'state/lock')
    assert.deepEqual(existsSync(lock) ? readdirSync(lock) : [], [], 'the lock is released')
    await untilReleased(before)
  }

  test('releases everything if the options of a node are wrong', async () => {
    await using live = await TestEngine.create()
    const graph = await live.load(`${liveYaml()}${SECOND_PIPELINE}`)
    let disposals = 0
    const counting = replaceOpen(graph, 'two/good', (open) => async (...given) => {
      const output = await open(...given)
      const dispose = output[Symbol.asyncDispose].bind(output)
      output[Symbol.asyncDispose] = () => {
        disposals++
        return dispose()
      }
      return output
    })
    const wrong = replaceOpen(counting, 'two/bad', () => () => Promise.reject(testError('TEST_CONFIG', 'wrong')))
    await refused(live, wrong, 'TEST_CONFIG')
    assert.equal(disposals, 1)
  })

  test('releases everything if an address is in use', async () => {
    await using live = await TestEngine.create()
    const graph = await live.load(liveYaml())
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`
    const taken = {
      ...graph,
      listeners: graph.listeners.map((one) => (one.name === 'web' ? { ...one, address } : one)),
    }
    await refused(live, taken, 'LISTEN_IN_USE')
    await new Promise((resolve) => other.close(resolve))
  })

  test('leaves its state folder alone if another engine uses it', async () => {
    await using live = await TestEngine.create()
    await live.folder.write('main.ts', clip.bytes)
    await live.start(liveYaml())
    const graph = await live.load(liveYaml())
    await assert.rejects(startEngine(graph, { log: SILENT_LOG }), { code: 'STATE_LOCKED' })
    assert.equal((await live.watch('/live.ts', 1000)).report().status, 200)
    assert.equal(readdirSync(join(live.folder.path, 'state/lock')).length, 1)
  })
})

describe('an engine whose inputs end', () => {
  test('delivers everything to its viewers, closes them cleanly, then ends', async () => {
    await using live = await TestEngine.create()
    const engine = await live.start(liveYaml({ main: 'pace: pcr' }))
    const viewer = live.viewer('/live.ts')
    await until(() => live.node('one/ts').clients === 1, 'the viewer waits')
    await live.folder.write('main.ts', clip.bytes)
    await engine.ended
    await viewer.reader.done()
    assert.equal(viewer.report().status, 200)
    assert.deepEqual(endOf(viewer.body, clip.bytes, clip.keyframes[0] ?? 0), 'all')
    assert.deepEqual(
      engine.status().pipelines[0]?.nodes.map(({ state }) => state),
      ['ended', 'ended', 'ended', 'ended'],
    )
    assert.equal((await live.viewer('/live.ts').reader.done()).status, 503)
  })

  test('delivers every byte to a viewer that pauses for longer than the window, without pacing', async () => {
    await using live = await TestEngine.create()
    const yaml = liveYaml({ main: 'pace: none', ts: 'window: { duration: 1s, size: 16MiB }' })
    const engine = await live.start(yaml)
    const viewer = live.viewer('/live.ts')
    await until(() => live.node('one/ts').clients === 1, 'the viewer waits')
    await live.folder.write('main.ts', large.bytes)
    await viewer.reader.until(({ bodyBytes }) => bodyBytes > 0)
    viewer.reader.pause()
    await unchanged(() => live.node('one/main').receivedBytes, 1500)
    const taken = live.node('one/main').receivedBytes
    assert.ok(taken < large.bytes.length, 'the file is paused')
    readSlowly(viewer.reader.socket)
    await engine.ended
    await viewer.reader.done()
    assert.equal(endOf(viewer.body, large.bytes, large.keyframes[0] ?? 0), 'all')
  })

  test('fails when its last input has failed for good', async () => {
    await using live = await TestEngine.create()
    await live.folder.write('main.ts', new Uint8Array(10_000))
    const engine = await live.start(liveYaml({ main: 'pace: pcr' }))
    await assert.rejects(engine.ended, /^Error: one\/main has failed: .*neither PCRs nor DTS/)
    assert.equal(live.node('one/main').state, 'failed')
  })
})

describe('an engine that is stopped', () => {
  test('closes viewers cleanly after everything received so far', async () => {
    await using live = await TestEngine.create()
    const engine = await live.start(liveYaml({ main: 'pace: pcr' }))
    const viewer = live.viewer('/live.ts')
    await until(() => live.node('one/ts').clients === 1, 'the viewer waits')
    await live.folder.write('main.ts', long.bytes)
    await viewer.reader.until(({ bodyBytes }) => bodyBytes >= 30_000)
    await engine.stop('test')
    await viewer.reader.done()
    const received = live.node('one/main').receivedBytes
    assert.equal(received < long.bytes.length, true, 'it was stopped in the middle')
    const whole = long.bytes.slice(0, received - (received % 188))
    assert.equal(endOf(viewer.body, whole, long.keyframes[0] ?? 0), 'all')
    assert.deepEqual(
      engine.status().pipelines[0]?.nodes.map(({ state }) => state),
      ['stopped', 'stopped', 'stopped', 'stopped'],
    )
  })

  test('cuts off a stalled viewer at the end of the drain, and stops', async () => {
    await using live = await TestEngine.create()
    await live.folder.write('main.ts', large.bytes)
    const engine = await live.start(liveYaml({ main: 'pace: none, loop: true', drain: '1s' }))
    const viewer = await live.watch('/live.ts', 1)
    viewer.reader.pause()
    await unchanged(() => live.node('one/main').receivedBytes, 1000)
    const startedMs = performance.now()
    await engine.stop('test')
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs >= 900 && tookMs < 10_000, `${tookMs} ms`)
    viewer.reader.resume()
    await viewer.reader.done()
  })

  test('refuses new viewers while it stops, on the API listener too', async () => {
    await using live = await TestEngine.create()
    await live.folder.write('main.ts', large.bytes)
    const engine = await live.start(liveYaml({ main: 'pace: none, loop: true', drain: '2s', listener: 'api' }))
    const stalled = await live.watch('/live.ts', 1, 'api')
    stalled.reader.pause()
    await unchanged(() => live.node('one/main').receivedBytes, 1000)
    const address = live.address('api')
    const stopping = engine.stop('test')
    const late = live.viewer('/live.ts', 'api')
    await late.reader.done()
    assert.equal(late.report().status, 503)
    assert.equal(engine.readiness()?.reasons[0], 'engine: stopping')
    assert.equal(live.address('api'), address)
    await stopping
  })
})

/** The graph with another `open` for one output. */
function replaceOpen(
  graph: Graph,
  id: string,
  change: (open: OutputDefinition['open']) => OutputDefinition['open'],
): Graph {
  const replace = (node: NodeSettings): NodeSettings => {
    const { definition } = node
    if (node.id !== id || definition.kind !== 'output') return node
    return { ...node, definition: { ...definition, open: change(definition.open.bind(definition)) } }
  }
  const pipelines = graph.pipelines.map((pipeline) => ({ ...pipeline, nodes: pipeline.nodes.map(replace) }))
  return { ...graph, pipelines }
}

/** `all` if the body ends with everything from the offset on, preceded only by splice packets. */
function endOf(body: Uint8Array, bytes: Uint8Array, keyframe: number): string {
  const lead = body.length - (bytes.length - keyframe)
  if (lead < 0) return `${-lead} bytes are missing`
  if (Buffer.compare(body.subarray(lead), bytes.subarray(keyframe)) !== 0) return 'other bytes'
  return lead % 188 === 0 && lead <= 188 * 20 ? 'all' : `${lead} bytes in front`
}

/** Reads one buffer (at most 64 KiB) every 5 ms from now on. */
function readSlowly(socket: Socket): void {
  socket.on('data', () => {
    socket.pause()
    setTimeout(() => socket.resume(), 5)
  })
  socket.resume()
}

/** Resolves when the number has not changed for `forMs`. */
async function unchanged(read: () => number, forMs: number): Promise<void> {
  let value = read()
  let sinceMs = performance.now()
  while (performance.now() - sinceMs < forMs) {
    await pause(0)
    if (read() === value) continue
    value = read()
    sinceMs = performance.now()
  }
}
