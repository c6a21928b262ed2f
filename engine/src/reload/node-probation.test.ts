import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openRoom, routeOptions } from '../deliver/delivery.test.kit.js'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { until } from '../listen/loopback.test.kit.js'
import { NodeEndpoints } from '../run/node/node-endpoints.js'
import { RecordingOutput, outputOf, settings } from '../run/run.test.kit.js'
import { FakeClock } from '../testing/fake-clock.js'
import { Probation } from './node-probation.js'

const definition = outputOf(() => new RecordingOutput())
const NO_GRAPH = { pipelines: [], services: [], listeners: [] } as unknown as Graph

describe('the probation of a node', () => {
  test('lasts for half a minute, and leaves no timer', () => {
    const clock = new FakeClock()
    const probation = new Probation(clock)
    const [before, now] = [settings('one/ts', definition), settings('one/ts', definition)]
    probation.begin(
      { settings: now, endpoints: { retain: () => undefined }, calls: { isOnProbation: false } },
      { settings: before, graph: NO_GRAPH },
    )
    clock.advance(29_999)
    assert.equal(clock.pending, 1)
    clock.advance(1)
    assert.equal(clock.pending, 0)
    assert.equal(probation.end(now), undefined)
  })

  test('returns the old settings of the node once', () => {
    const clock = new FakeClock()
    const probation = new Probation(clock)
    const [before, now] = [settings('one/ts', definition), settings('one/ts', definition)]
    probation.begin(
      { settings: now, endpoints: { retain: () => undefined }, calls: { isOnProbation: false } },
      { settings: before, graph: NO_GRAPH },
    )
    assert.equal(probation.end(now)?.settings, before)
    assert.equal(probation.end(now), undefined)
    assert.equal(clock.pending, 0)
  })

  test('continues when another reload keeps the node, with its current settings', () => {
    const probation = new Probation(new FakeClock())
    const [before, now, later] = [0, 1, 2].map(() => settings('one/ts', definition)) as [
      NodeSettings,
      ...NodeSettings[],
    ]
    probation.begin(
      { settings: now!, endpoints: { retain: () => undefined }, calls: { isOnProbation: false } },
      { settings: before, graph: NO_GRAPH },
    )
    probation.updateSettings(now!, later!)
    assert.equal(probation.end(now!), undefined)
    assert.equal(probation.end(later!)?.settings, before)
  })

  test('that starts again keeps the viewers of the node for the full time', async () => {
    await using room = await openRoom()
    const clock = new FakeClock()
    const probation = new Probation(clock)
    const endpoints = new NodeEndpoints({
      delivery: room.delivery,
      audiences: room.audiences,
      listeners: { http: () => room.listener, of: () => assert.fail() },
      owner: () => 'one/ts',
      call: (run) => run(),
      enter: (run) => run(),
      isStandby: false,
    })
    const begin = (): void => {
      const target = { settings: settings('one/ts', definition), graph: NO_GRAPH }
      probation.begin({ settings: settings('one/ts', definition), endpoints, calls: { isOnProbation: false } }, target)
    }
    const route = endpoints.forOpening().delivery.open(routeOptions())
    begin()
    clock.advance(20_000)
    begin()
    clock.advance(11_000)
    await route[Symbol.asyncDispose]()
    assert.equal(room.delivery.routes().length, 1)
    clock.advance(19_000)
    await until(() => room.delivery.routes().length === 0, 'the route is gone')
  })
})
