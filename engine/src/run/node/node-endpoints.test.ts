import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Feed, openRoom, routeOptions } from '../../deliver/delivery.test.kit.js'
import type { Room } from '../../deliver/delivery.test.kit.js'
import { expectViewers } from '../../reload/plan-viewers.js'
import { NodeEndpoints } from './node-endpoints.js'
import { ReloadHarness } from '../change/reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { node, output, serving } from '../scripted-nodes.test.kit.js'

function endpointsOf(room: Room, isStandby: boolean): NodeEndpoints {
  const listeners = { http: () => room.listener, of: () => assert.fail() }
  const inScope = { call: <T>(run: () => T): T => run(), enter: (run: () => void) => run() }
  const { delivery, audiences } = room
  return new NodeEndpoints({ delivery, audiences, listeners, owner: () => 'one/ts', ...inScope, isStandby })
}

describe('an endpoint of a node', () => {
  test('is claimed at activation, with the viewers of the replaced node', async () => {
    await using room = await openRoom()
    const [before, next] = [endpointsOf(room, false), endpointsOf(room, true)]
    const old = before.delivery.open(routeOptions())
    const viewer = room.viewer()
    const entry = (text: string) => ({
      bytes: Buffer.from(text),
      receivedAtMs: performance.now(),
      join: { keyframe: true, preamble: new Uint8Array(0), bridge: new Uint8Array(0) },
    })
    old.push(entry('first'))
    await viewer.saw('first')
    const route = next.delivery.open(routeOptions())
    route.push(entry('too early'))
    next.activate(before)
    await old[Symbol.asyncDispose]()
    route.push(entry('second'))
    await viewer.saw('second')
    assert.doesNotMatch(viewer.text, /too early/)
    assert.equal(route.counters.clients, 1)
  })

  test('stays with the old node if a path of the new one is taken', async () => {
    await using room = await openRoom()
    const [before, next] = [endpointsOf(room, false), endpointsOf(room, true)]
    before.listeners.http('web').mount({ path: '/page' }, (_request, response) => response.end('page'))
    room.listener.claim({ path: '/other', respond: (_request, response) => response.end('other') })
    next.listeners.http('web').mount({ path: '/page' }, (_request, response) => response.end('next'))
    next.listeners.http('web').mount({ path: '/other' }, (_request, response) => response.end('next'))
    assert.throws(() => next.activate(before), { code: 'LISTEN_PATH_TAKEN' })
    for (const [path, text] of [
      ['/page', 'page'],
      ['/other', 'other'],
    ] as const) {
      await room.viewer(path).saw(`\r\n\r\n${text}`)
    }
  })

  test('of a failed node is kept for the next node while it is retained', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    const route = endpoints.delivery.open(routeOptions())
    endpoints.retain(true)
    await route[Symbol.asyncDispose]()
    assert.equal(room.delivery.routes().length, 1)
    endpoints.retain(false)
    assert.equal(room.delivery.routes().length, 0)
  })
})

describe('a node that opens again', () => {
  test('during its probation has the viewers that it had', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    const first = endpoints.delivery.open(routeOptions())
    new Feed(first, 1000).push()
    const viewer = await room.viewer().received(1000)
    endpoints.retain(true)
    endpoints.release()
    const second = endpoints.delivery.open(routeOptions({ path: '/else' }))
    new Feed(second, 1000).push()
    await viewer.received(2000)
    endpoints.retain(false)
    assert.deepEqual([room.delivery.routes().length, viewer.isEnded], [1, false])
  })

  test('while its paths are withdrawn has them when they are restored, and none before', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    endpoints.delivery.open(routeOptions())
    endpoints.withdraw()
    endpoints.release()
    const route = endpoints.delivery.open(routeOptions())
    assert.equal(room.delivery.routes().length, 0)
    const other = room.open({ id: 'one/other' })
    assert.throws(() => endpoints.restore(), { code: 'LISTEN_PATH_TAKEN' })
    await other[Symbol.asyncDispose]()
    endpoints.restore()
    new Feed(route, 1000).push()
    await room.viewer().received(1000)
  })

  test('finds its paths free, whatever it has forgotten to release', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    const mount = (): Disposable =>
      endpoints.listeners.http('web').mount({ path: '/page' }, (_request, response) => response.end('page'))
    mount()
    endpoints.delivery.open(routeOptions())
    assert.throws(mount, { code: 'LISTEN_PATH_TAKEN' })
    endpoints.release()
    mount()
    endpoints.delivery.open(routeOptions())
  })
})

describe('an output', () => {
  test('that fails to take over with a new path keeps the old path', async () => {
    let fail: (() => void) | undefined
    const definition = serving({
      onOpen: ({ swap }, later) => {
        if (swap === 'bad') fail = later
      },
    })
    const to = (swap: string, path: string) => node('one/ts', definition, { from: 'one/main', swap, path })
    await using harness = await new ReloadHarness().start(to('good', '/old'))
    harness.send(7)
    const { graph } = harness.engine
    const applying = harness.reload(to('bad', '/new'))
    await harness.committed(graph)
    fail?.()
    using _flow = harness.flow()
    await applying
    assert.deepEqual(
      harness.rolledBack.map(({ node: id }) => id),
      ['one/ts'],
    )
    assert.deepEqual([await harness.statusOf('/old'), await harness.statusOf('/new')], [200, 404])
  })

  test('that becomes another type is removed and added: the plan counts its viewers, and they end cleanly', async () => {
    const kept = new RecordingOutput()
    const to = (definition: Parameters<typeof node>[1]) =>
      node('one/ts', definition, { from: 'one/main', path: '/live' })
    await using harness = await new ReloadHarness().start(to(serving()))
    harness.send(6)
    using _flow = harness.flow()
    const viewer = harness.viewer('/live')
    await viewer.received(2000)
    const plan = harness.planFor(to(output(() => kept)))
    assert.equal(expectViewers(plan, (id) => harness.engine.viewersOf(id)).lost, 1)
    assert.deepEqual(
      plan.nodes.filter(({ id }) => id === 'one/ts').map(({ verb }) => verb),
      ['add', 'remove'],
    )
    const { viewersLost } = await harness.reload(to(output(() => kept)))
    assert.equal(viewersLost, 1)
    await viewer.ended()
    assert.equal(viewer.body.length % 100, 0)
    assert.equal(viewer.isEnded, true)
    assert.equal(harness.states['one/ts'], 'ready')
    assert.ok(kept.chunks.length > 0)
  })
})
