import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Clock, HttpHandler, Listeners, NodeContext, Options } from '@millrace/engine/plugin'
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import { BehaviorSubject } from 'rxjs'
import prometheus from './index.js'

class FakeListeners implements Listeners {
  readonly routes = new Map<string, HttpHandler>()

  of(): never {
    throw new Error('there is none')
  }

  http(name: string): ReturnType<Listeners['http']> {
    return {
      name,
      origins: [],
      listed: () => [],
      mount: ({ path }, respond) => {
        if (path === '/taken') throw new Error('it is taken')
        this.routes.set(`${name}${path}`, respond)
        return { [Symbol.dispose]: () => void this.routes.delete(`${name}${path}`) }
      },
    }
  }
}

interface Setting {
  render: () => Promise<string>
  nowMs: number
  rendered: number
  readonly errors: unknown[]
  readonly handler: FakeListeners
}

async function openService(setting: Setting): Promise<AsyncDisposable> {
  const value = prometheus.options.parse({})
  const options$: Options<typeof value> = new BehaviorSubject(value)
  const log = { error: (details: unknown) => void setting.errors.push(details) }
  const clock: Pick<Clock, 'nowMs'> = { nowMs: () => setting.nowMs }
  const metrics = {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    render: () => {
      setting.rendered++
      return setting.render()
    },
  }
  return prometheus.open(options$, { id: 'services/metrics', log } as unknown as NodeContext, {
    metrics,
    listeners: setting.handler,
    clock: clock as Clock,
  })
}

async function scrape(setting: Setting): Promise<{ status: number; type: string | null; text: string }> {
  const client = { client: '127.0.0.1:1', address: '127.0.0.1', user: undefined }
  const who = { ...client, protocol: 'http', listener: 'api', agent: '', place: '/metrics' }
  const visit = { ...client, path: '/metrics', query: '', who }
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

function newSetting(text: string): Setting {
  return { render: async () => text, nowMs: 0, rendered: 0, errors: [], handler: new FakeListeners() }
}

test('a scrape receives current values in text format 0.0.4', async () => {
  const setting = newSetting('a{name="é"} 1\n')
  await using _service = await openService(setting)
  assert.deepEqual(await scrape(setting), {
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    text: 'a{name="é"} 1\n',
  })
  setting.render = async () => 'b 3\n'
  setting.nowMs = 1000
  assert.equal((await scrape(setting)).text, 'b 3\n')
})

test('simultaneous scrapers share one reading', async () => {
  const setting = newSetting('a 1\n')
  await using _service = await openService(setting)
  await Promise.all([scrape(setting), scrape(setting), scrape(setting)])
  assert.equal(setting.rendered, 1)
})

test('a failed reading is logged and gives 500, and the next scrape reads again', async () => {
  const setting = newSetting('')
  setting.render = async () => {
    throw new Error('broken')
  }
  await using _service = await openService(setting)
  assert.equal((await scrape(setting)).status, 500)
  assert.equal(setting.errors.length, 1)
  setting.render = async () => 'a 1\n'
  assert.equal((await scrape(setting)).status, 200)
})

test('the path is free again after dispose', async () => {
  const setting = newSetting('')
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
  const deps = {
    metrics: { contentType: 'text/plain', render: async () => '' },
    listeners: handler,
    clock: new FakeClock(),
  }
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

test('metrics that anybody beyond this machine can read are warned of', () => {
  const listeners: Readonly<Record<string, { isLoopback: boolean; options: unknown }>> = {
    open: { isLoopback: false, options: {} },
    local: { isLoopback: true, options: {} },
  }
  const around = {
    ...{ address: undefined, hasAuth: false, batchMs: undefined, lingerMs: undefined, hasSourceTimes: undefined },
    listener: (name: string) => listeners[name],
  }
  const warn = (more: object): readonly string[] => prometheus.warnings?.(prometheus.options.parse(more), around) ?? []
  assert.deepEqual(warn({ listener: 'open' }), [
    'everybody who reaches the listener "open" can read the metrics: add "auth"',
  ])
  for (const more of [{}, { listener: 'local' }, { listener: 'open', auth: 'scrapers' }])
    assert.deepEqual(warn(more), [])
})
