import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Feed, NO_LIMITS, openRoom, routeOptions } from '../../deliver/delivery.test.kit.js'
import type { Room } from '../../deliver/delivery.test.kit.js'
import type { Who } from '../../plugin/audience.js'
import type { LiveEntry } from '../../plugin/live-route.js'
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

const WHO: Who = {
  ...{ protocol: 'http', listener: 'web', client: '192.0.2.1:5000', address: '192.0.2.1' },
  ...{ user: undefined, agent: '', place: '/a' },
}

function entry(text: string): LiveEntry {
  const nothing = new Uint8Array(0)
  const join = { keyframe: true, heldBytes: 0, preamble: () => nothing, bridge: () => nothing }
  return { bytes: Buffer.from(text), receivedAtMs: performance.now(), join }
}

describe('an endpoint of a node', () => {
  test('is claimed at activation, with the viewers of the replaced node', async () => {
    await using room = await openRoom()
    const [before, next] = [endpointsOf(room, false), endpointsOf(room, true)]
    const old = before.forOpening().delivery.open(routeOptions())
    const viewer = room.viewer()
    old.push(entry('first'))
    await viewer.saw('first')
    const route = next.forOpening().delivery.open(routeOptions())
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
    before
      .forOpening()
      .listeners.http('web')
      .mount({ path: '/page' }, (_request, response) => response.end('page'))
    room.listener.claim({ path: '/other', respond: (_request, response) => response.end('other') })
    next
      .forOpening()
      .listeners.http('web')
      .mount({ path: '/page' }, (_request, response) => response.end('next'))
    next
      .forOpening()
      .listeners.http('web')
      .mount({ path: '/other' }, (_request, response) => response.end('next'))
    assert.throws(() => next.activate(before), { code: 'LISTEN_PATH_TAKEN' })
    for (const [path, text] of [
      ['/page', 'page'],
      ['/other', 'other'],
    ] as const) {
      await room.viewer(path).saw(`\r\n\r\n${text}`)
    }
  })

  test('of several is the one that the node had, in whatever order it disposed them', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    const open = () => {
      const { delivery, audiences } = endpoints.forOpening()
      const routes = ['/a', '/b'].map((path) => delivery.open(routeOptions({ path })))
      return { routes, audiences: [0, 1].map(() => audiences.open({ limits: NO_LIMITS })) }
    }
    const before = open()
    for (const [index, route] of before.routes.entries()) route.push(entry(`first ${index};`))
    for (const count of [1, 2, 2]) before.audiences[count - 1]?.enter(WHO)
    const viewer = room.viewer('/a')
    await viewer.saw('first 0')
    endpoints.retain(true)
    for (const each of [...before.routes, ...before.audiences].reverse()) await each[Symbol.asyncDispose]()
    const after = open()
    for (const [index, route] of after.routes.entries()) route.push(entry(`again ${index};`))
    await viewer.saw('again')
    assert.match(viewer.text, /first 0;again 0;$/)
    assert.deepEqual(
      after.audiences.map(({ counters }) => counters.clients),
      [1, 2],
    )
    endpoints.retain(false)
    endpoints.release()
  })

  test('stays with the old node if the new one fails after it has taken the audience over', async () => {
    await using room = await openRoom()
    const [old, next] = [endpointsOf(room, false), endpointsOf(room, true)]
    const audience = old.forOpening().audiences.open({ limits: NO_LIMITS })
    const session = audience.enter(WHO)
    next.forOpening().audiences.open({ limits: NO_LIMITS })
    old.withdraw(next)
    next.reserve(old)
    next.release()
    next.withdraw()
    old.restore()
    assert.ok(!('refused' in session) && !session.isOver)
    assert.ok(!('refused' in audience.enter(WHO)))
    old.release()
  })

  test('cannot be asked for by code that runs on after the node has ended, or was opened again', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    const { delivery, listeners, audiences } = endpoints.forOpening()
    const web = listeners.http('web')
    endpoints.release()
    for (const ask of [
      () => delivery.open(routeOptions()),
      () => web.mount({ path: '/page' }, () => undefined),
      () => audiences.open({ limits: NO_LIMITS }),
    ]) {
      assert.throws(ask, { code: 'NODE_OVER' })
    }
    const again = endpoints.forOpening()
    again.delivery.open(routeOptions())
    endpoints.forOpening()
    assert.throws(() => again.delivery.open(routeOptions({ path: '/else' })), { code: 'NODE_OVER' })
  })

  test('of a failed node is kept for the next node while it is retained', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    const route = endpoints.forOpening().delivery.open(routeOptions())
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
    const first = endpoints.forOpening().delivery.open(routeOptions())
    new Feed(first, 1000).push()
    const viewer = await room.viewer().received(1000)
    endpoints.retain(true)
    endpoints.release()
    const second = endpoints.forOpening().delivery.open(routeOptions({ path: '/else' }))
    new Feed(second, 1000).push()
    await viewer.received(2000)
    endpoints.retain(false)
    assert.deepEqual([room.delivery.routes().length, viewer.isEnded], [1, false])
  })

  test('while its paths are withdrawn has them when they are restored, and none before', async () => {
    await using room = await openRoom()
    const endpoints = endpointsOf(room, false)
    endpoints.forOpening().delivery.open(routeOptions())
    endpoints.withdraw()
    endpoints.release()
    const route = endpoints.forOpening().delivery.open(routeOptions())
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
      endpoints
        .forOpening()
        .listeners.http('web')
        .mount({ path: '/page' }, (_request, response) => response.end('page'))
    mount()
    endpoints.forOpening().delivery.open(routeOptions())
    assert.throws(mount, { code: 'LISTEN_PATH_TAKEN' })
    endpoints.release()
    mount()
    endpoints.forOpening().delivery.open(routeOptions())
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

  test('that is replaced by one that keeps no viewers: the plan and the result count them as lost', async () => {
    const served = serving()
    const to = (more: object) => node('one/ts', served, { from: 'one/main', path: '/live', ...more })
    await using harness = await new ReloadHarness().start(to({}))
    harness.send(6)
    using _flow = harness.flow()
    const viewer = harness.viewer('/live')
    await viewer.received(2000)
    const plan = harness.planFor(to({ parting: 'x' }))
    assert.equal(expectViewers(plan, (id) => harness.engine.viewersOf(id)).lost, 1)
    assert.equal((await harness.reload(to({ parting: 'x' }))).viewersLost, 1)
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
