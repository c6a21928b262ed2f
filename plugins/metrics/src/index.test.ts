import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Clock, HttpHandler, Listeners, MetricFamily, NodeContext, Options } from '@millrace/engine/plugin'
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import { BehaviorSubject } from 'rxjs'
import prometheus from './index.js'
import { parseExposition } from './parse-exposition.test.kit.js'

class FakeListeners implements Listeners {
  readonly routes = new Map<string, HttpHandler>()

  http(name: string): ReturnType<Listeners['http']> {
    return {
      name,
      origins: [],
      mount: ({ path }, respond) => {
        if (path === '/taken') throw new Error('it is taken')
        this.routes.set(`${name}${path}`, respond)
        return { [Symbol.dispose]: () => void this.routes.delete(`${name}${path}`) }
      },
    }
  }
}

interface Setting {
  families: readonly MetricFamily[]
  nowMs: number
  collected: number
  readonly errors: unknown[]
  readonly handler: FakeListeners
}

async function openService(setting: Setting): Promise<AsyncDisposable> {
  const value = prometheus.options.parse({})
  const options$: Options<typeof value> = new BehaviorSubject(value)
  const log = { error: (details: unknown) => void setting.errors.push(details) }
  const clock: Pick<Clock, 'nowMs'> = { nowMs: () => setting.nowMs }
  const metrics = {
    collect: () => {
      setting.collected++
      return setting.families
    },
  }
  return prometheus.open(options$, { id: 'services/metrics', log } as unknown as NodeContext, {
    metrics,
    listeners: setting.handler,
    clock: clock as Clock,
  })
}

async function scrape(setting: Setting): Promise<{ status: number; type: string | null; text: string }> {
  const visit = { client: '127.0.0.1:1', address: '127.0.0.1', user: undefined, path: '/metrics', query: '' }
  const server = createServer((request, response) =>
    setting.handler.routes.get(`api${request.url}`)?.(request, response, visit),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

function gauge(name: string, value: number): MetricFamily {
  return { name, kind: 'gauge', help: name, rows: [{ labels: {}, value }] }
}

function newSetting(families: readonly MetricFamily[]): Setting {
  return { families, nowMs: 0, collected: 0, errors: [], handler: new FakeListeners() }
}

test('a scrape receives current values in text format 0.0.4, without stale series', async () => {
  const setting = newSetting([gauge('a', 1), gauge('b', 2)])
  await using _service = await openService(setting)
  const first = await scrape(setting)
  assert.deepEqual([first.status, first.type], [200, 'text/plain; version=0.0.4; charset=utf-8'])
  assert.deepEqual([...parseExposition(first.text).keys()], ['a', 'b'])
  setting.families = [gauge('b', 3)]
  setting.nowMs = 1000
  const families = parseExposition((await scrape(setting)).text)
  assert.deepEqual([...families.keys()], ['b'])
  assert.equal(families.get('b')?.samples[0]?.value, 3)
})

test('simultaneous scrapers share one reading', async () => {
  const setting = newSetting([gauge('a', 1)])
  await using _service = await openService(setting)
  await Promise.all([scrape(setting), scrape(setting), scrape(setting)])
  assert.equal(setting.collected, 1)
})

test('a failed reading is logged and gives 500, and the next scrape reads again', async () => {
  const setting = newSetting([])
  Object.defineProperty(setting, 'families', {
    configurable: true,
    get: () => {
      throw new Error('broken')
    },
  })
  await using _service = await openService(setting)
  assert.equal((await scrape(setting)).status, 500)
  assert.equal(setting.errors.length, 1)
  Object.defineProperty(setting, 'families', { value: [gauge('a', 1)] })
  assert.equal((await scrape(setting)).status, 200)
})

test('the path is free again after dispose', async () => {
  const setting = newSetting([])
  const service = await openService(setting)
  assert.deepEqual([...setting.handler.routes.keys()], ['api/metrics'])
  await service[Symbol.asyncDispose]()
  await service[Symbol.asyncDispose]()
  assert.equal(setting.handler.routes.size, 0)
})

test('a path must start with a slash', () => {
  assert.equal(prometheus.options.safeParse({ path: 'metrics' }).success, false)
  assert.deepEqual(prometheus.exclusive?.(prometheus.options.parse({})), [
    { kind: 'http', listener: 'api', path: '/metrics' },
  ])
})

test('listener and path move without a gap, and stay unchanged when the new path is taken', async () => {
  const handler = new FakeListeners()
  const options$ = new BehaviorSubject(prometheus.options.parse({}))
  const context = new FakeContext('services/metrics')
  const deps = { metrics: { collect: () => [] }, listeners: handler, clock: new FakeClock() }
  const service = await prometheus.open(options$, context, deps)
  options$.next(prometheus.options.parse({ listener: 'web', path: '/m' }))
  assert.deepEqual([...handler.routes.keys()], ['web/m'])
  options$.next(prometheus.options.parse({ path: '/taken' }))
  assert.deepEqual([...handler.routes.keys()], ['web/m'])
  assert.deepEqual(context.reported, ['ready', 'degraded: it is taken'])
  await service[Symbol.asyncDispose]()
  options$.next(prometheus.options.parse({}))
  assert.equal(handler.routes.size, 0)
})
