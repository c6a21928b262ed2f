import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { countDescriptors, until } from '../listen/loopback.test.kit.js'
import { buildTs } from '../testing/index.js'
import { startEngine } from './engine.js'
import { activeResources, LiveEngine, liveYaml, QUIET_LOG } from './live-engine.test.kit.js'
import { inputOf, KeepingSink, outputOf, reads, ScriptedSource, settings, settle, testError } from './run.test.kit.js'

const clip = buildTs({ durationS: 2 })
/** So long that it is stopped in the middle, however slow the machine is. */
const long = buildTs({ durationS: 60, video: { bitrate: 1e6 } })
/** 30 MB: more than the kernel takes for one viewer that does not read. */
const large = buildTs({ durationS: 20, video: { bitrate: 12e6 } })

describe('a running engine', () => {
  test('serves viewers, and leaves nothing behind when it stops', async () => {
    const before = { resources: activeResources(), descriptors: countDescriptors() }
    {
      await using live = await LiveEngine.create()
      await live.write('main.ts', clip.bytes)
      const engine = await live.start(liveYaml())
      const viewer = await live.viewer('/live.ts').received(100_000)
      assert.equal(viewer.status, 200)
      assert.deepEqual(engine.readiness(), { ready: true, reasons: [] })
      assert.equal(live.node('one/ts').clients, 1)
      assert.ok(existsSync(join(live.folder, 'state/engine.lock')))
      const urls = engine.urls().map(({ label }) => label)
      assert.deepEqual(urls, ['one/ts', 'control API', 'services/metrics'])
      await Promise.all([engine.stop('test'), engine.stop('again')])
      await viewer.ended()
      assert.ok(!existsSync(join(live.folder, 'state/engine.lock')))
      assert.equal(engine.status().state, 'stopping')
      assert.deepEqual(engine.readiness()?.ready, false)
    }
    await until(() => isDeepStrictEqual(activeResources(), before.resources), 'no resource is left')
    await until(() => countDescriptors() === before.descriptors, 'no descriptor is left')
  })

  test('says why it is not ready, of all, of a pipeline, and of a node', async () => {
    await using live = await LiveEngine.create()
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
    await live.write('main.ts', clip.bytes)
    await until(() => engine.readiness()?.ready === true, 'the engine is ready')
    assert.equal(live.node('one/main').restarts > 0, true)
  })
})

describe('an engine that can not start', () => {
  async function refused(live: LiveEngine, graph: Graph, code: string): Promise<void> {
    const before = { resources: activeResources(), descriptors: countDescriptors() }
    await assert.rejects(startEngine(graph, { log: QUIET_LOG }), { code })
    assert.ok(!existsSync(join(live.folder, 'state/engine.lock')), 'the lock is given back')
    await until(() => isDeepStrictEqual(activeResources(), before.resources), 'no resource is left')
    await until(() => countDescriptors() === before.descriptors, 'no descriptor is left')
  }

  test('because a node never can lets go of everything', async () => {
    await using live = await LiveEngine.create()
    const graph = await live.load(liveYaml())
    const opened: KeepingSink[] = []
    const nodes: NodeSettings[] = [
      settings(
        'two/main',
        inputOf(() => new ScriptedSource()),
      ),
      settings(
        'two/good',
        outputOf(() => opened[opened.push(new KeepingSink()) - 1]!),
        reads('two/main'),
      ),
      settings(
        'two/bad',
        outputOf(() => Promise.reject(testError('TEST_BUG', 'broken'))),
        reads('two/main'),
      ),
    ]
    const broken = { ...graph, pipelines: [...graph.pipelines, { name: 'two', description: '', nodes }] }
    await refused(live, broken, 'TEST_BUG')
    assert.equal(opened[0]?.disposals, 1)
  })

  test('because an address is taken lets go of everything', async () => {
    await using live = await LiveEngine.create()
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

  test('because its state folder is in use leaves that alone', async () => {
    await using live = await LiveEngine.create()
    await live.write('main.ts', clip.bytes)
    await live.start(liveYaml())
    const graph = await live.load(liveYaml())
    await assert.rejects(startEngine(graph, { log: QUIET_LOG }), { code: 'STATE_LOCKED' })
    assert.equal((await live.viewer('/live.ts').received(1000)).status, 200)
    assert.ok(existsSync(join(live.folder, 'state/engine.lock')))
  })
})

describe('an engine whose inputs end', () => {
  test('gives viewers everything and a clean end, then has ended', async () => {
    await using live = await LiveEngine.create()
    const engine = await live.start(liveYaml({ main: 'pace: pcr' }))
    const viewer = live.viewer('/live.ts')
    await until(() => live.node('one/ts').clients === 1, 'the viewer waits')
    await live.write('main.ts', clip.bytes)
    await engine.ended
    await viewer.ended()
    assert.equal(viewer.status, 200)
    assert.deepEqual(endOf(viewer.body, clip.bytes, clip.keyframes[0] ?? 0), 'all')
    assert.deepEqual(
      engine.status().pipelines[0]?.nodes.map(({ state }) => state),
      ['ended', 'ended', 'ended', 'ended'],
    )
    assert.equal((await live.viewer('/live.ts').ended()).status, 503)
  })

  test('gives every byte to a viewer that stops for longer than the window, without pacing', async () => {
    await using live = await LiveEngine.create()
    const yaml = liveYaml({ main: 'pace: none', ts: 'window: { duration: 1s, size: 16MiB }' })
    const engine = await live.start(yaml)
    const viewer = live.viewer('/live.ts')
    await until(() => live.node('one/ts').clients === 1, 'the viewer waits')
    await live.write('main.ts', large.bytes)
    await viewer.received(1)
    viewer.socket.pause()
    await stands(() => live.node('one/main').receivedBytes, 1500)
    const taken = live.node('one/main').receivedBytes
    assert.ok(taken < large.bytes.length, 'the file is paused')
    readSlowly(viewer.socket)
    await engine.ended
    await viewer.ended()
    assert.equal(endOf(viewer.body, large.bytes, large.keyframes[0] ?? 0), 'all')
  })

  test('has failed when the last input has failed for good', async () => {
    await using live = await LiveEngine.create()
    await live.write('main.ts', new Uint8Array(10_000))
    const engine = await live.start(liveYaml({ main: 'pace: pcr' }))
    await assert.rejects(engine.ended, /^Error: one\/main has failed: .*no PCR/)
    assert.equal(live.node('one/main').state, 'failed')
  })
})

describe('an engine that is stopped', () => {
  test('ends viewers cleanly, with everything that had come', async () => {
    await using live = await LiveEngine.create()
    const engine = await live.start(liveYaml({ main: 'pace: pcr' }))
    const viewer = live.viewer('/live.ts')
    await until(() => live.node('one/ts').clients === 1, 'the viewer waits')
    await live.write('main.ts', long.bytes)
    await viewer.received(30_000)
    await engine.stop('test')
    await viewer.ended()
    const received = live.node('one/main').receivedBytes
    assert.equal(received < long.bytes.length, true, 'it was stopped in the middle')
    const whole = long.bytes.slice(0, received - (received % 188))
    assert.equal(endOf(viewer.body, whole, long.keyframes[0] ?? 0), 'all')
    assert.deepEqual(
      engine.status().pipelines[0]?.nodes.map(({ state }) => state),
      ['stopped', 'stopped', 'stopped', 'stopped'],
    )
  })

  test('cuts a viewer that has stalled when the drain is over, and stops nevertheless', async () => {
    await using live = await LiveEngine.create()
    await live.write('main.ts', large.bytes)
    const engine = await live.start(liveYaml({ main: 'pace: none, loop: true', drain: '1s' }))
    const viewer = await live.viewer('/live.ts').received(1)
    viewer.socket.pause()
    await stands(() => live.node('one/main').receivedBytes, 1000)
    const startedMs = performance.now()
    await engine.stop('test')
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs >= 900 && tookMs < 10_000, `${tookMs} ms`)
    viewer.socket.resume()
    await viewer.ended()
  })

  test('refuses new viewers meanwhile, on the listener of the API too', async () => {
    await using live = await LiveEngine.create()
    await live.write('main.ts', large.bytes)
    const engine = await live.start(liveYaml({ main: 'pace: none, loop: true', drain: '2s', listener: 'api' }))
    const stalled = await live.viewer('/live.ts', 'api').received(1)
    stalled.socket.pause()
    await stands(() => live.node('one/main').receivedBytes, 1000)
    const address = live.address('api')
    const stopping = engine.stop('test')
    const late = live.viewer('/live.ts', 'api')
    await late.ended()
    assert.equal(late.status, 503)
    assert.equal(engine.readiness()?.reasons[0], 'engine: stopping')
    assert.ok(address.length > 0)
    await stopping
  })
})

/** `all` if the body ends with everything from the offset on, and has only splice packets before it. */
function endOf(body: Uint8Array, bytes: Uint8Array, keyframe: number): string {
  const lead = body.length - (bytes.length - keyframe)
  if (lead < 0) return `${-lead} bytes are missing`
  if (Buffer.compare(body.subarray(lead), bytes.subarray(keyframe)) !== 0) return 'other bytes'
  return lead % 188 === 0 && lead <= 188 * 20 ? 'all' : `${lead} bytes in front`
}

/** From here on 64 KiB each 5 ms. */
function readSlowly(socket: Socket): void {
  socket.on('data', () => {
    socket.pause()
    setTimeout(() => socket.resume(), 5)
  })
  socket.resume()
}

/** Resolves when the number has not changed for so long. */
async function stands(read: () => number, forMs: number): Promise<void> {
  let value = read()
  let sinceMs = performance.now()
  while (performance.now() - sinceMs < forMs) {
    await settle(1)
    if (read() === value) continue
    value = read()
    sinceMs = performance.now()
  }
}
