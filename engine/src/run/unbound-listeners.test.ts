import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { EngineListeners } from '../listen/engine-listeners.js'
import { KeptLog, REAL_CLOCK, until } from '../listen/loopback.test.kit.js'
import { parseExposition } from '../observe/exposition.test.kit.js'
import { MetricsRegistry } from '../observe/metrics-registry.js'
import { EngineNodeMetrics } from './engine-node-metrics.js'
import { RunningNodes } from './running-nodes.js'
import { listenerStatus, readinessOf } from './status-view.js'

test('a listener whose address could not be bound again is not up, and the engine is not ready until it is', async (t) => {
  const listeners = new EngineListeners({ clock: REAL_CLOCK, log: new KeptLog().log })
  const web = listeners.add('web', '127.0.0.1:0')
  await listeners.openAll()
  t.after(() => listeners.closeAll(0))
  const registry = new MetricsRegistry()
  new EngineNodeMetrics(registry, {
    routeOf: () => undefined,
    audienceOf: () => undefined,
    publishersOf: () => undefined,
    isBound: (name) => !listeners.unbound().has(name),
  }).update([], listeners.all())
  const read = async (): Promise<unknown> => {
    const up = parseExposition(await registry.render()).get('millrace_listener_up')?.samples
    const { ready, reasons } = readinessOf('running', new RunningNodes(), {}, listeners.unbound())!
    return { up: up?.map(({ value }) => value), ready, reasons }
  }
  assert.deepEqual(await read(), { up: [1], ready: true, reasons: [] })

  const thief = createServer()
  t.after(() => thief.close())
  const { boundSocket, address } = web
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  const release = boundSocket.releaseAddress.bind(boundSocket)
  boundSocket.releaseAddress = () => {
    release()
    // Without a host it listens when this returns.
    thief.listen(port)
  }
  await assert.rejects(listeners.prepare([{ name: 'web', address: `0.0.0.0:${port}` }]), { code: 'LISTEN_IN_USE' })
  const why = listeners.unbound().get('web')
  assert.match(why ?? '', /^listener "web" can't use .*: it is in use$/)
  assert.deepEqual(await read(), { up: [0], ready: false, reasons: [`listeners/web: ${why}`] })
  assert.equal(listenerStatus(web, undefined, why).why, why)

  thief.close()
  await until(() => listeners.unbound().size === 0, 'the address is bound again')
  assert.deepEqual(await read(), { up: [1], ready: true, reasons: [] })
})
