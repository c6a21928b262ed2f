import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import type { OfflineAnswer } from '../plugin/resource.js'
import { HttpListener } from './http-listener.js'
import { KeptLog, RawClient, REAL_CLOCK, until } from './loopback.test.kit.js'
import { RouteTable } from './route-table.js'
import type { Visit } from './stream-handler.js'
import { WaitingRequests } from './waiting-requests.js'

const visit = (path: string, address = '10.0.0.1', headAtMs = 0): Visit => ({
  ...{ client: '', address, headAtMs, path, query: '', headers: [] },
})

function waitingFor(isPrefix = false, offline: OfflineAnswer = {}, after = isPrefix ? '/' : '.ts') {
  const clock = new FakeClock()
  const told: unknown[] = []
  const requests = new WaitingRequests({
    ...{ pattern: { before: '/live/', after, isPrefix }, offline, clock },
    takesKey: (key) => key !== 'bad',
    onFull: (full) => void told.push(full),
  })
  const ask = (path: string, address?: string): (() => string) => {
    const socket = new PassThrough()
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    requests.serve(socket, visit(path, address, clock.nowMs()))
    return () => text.split('\r\n')[0] ?? ''
  }
  return { clock, requests, ask, told }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('paths of a pattern pipeline without a copy', () => {
  test('wait, then answer 503', async () => {
    const { clock, ask, requests } = waitingFor()
    const [good, bad] = [ask('/live/a.ts'), ask('/live/bad.ts')]
    await turn()
    assert.deepEqual([good(), bad()], ['', 'HTTP/1.1 404 Not Found'])
    clock.advance(10_000)
    await turn()
    assert.equal(good(), 'HTTP/1.1 503 Service Unavailable')
    assert.equal(requests.head(visit('/live/a.ts')).status, 503)
  })

  test('wait as long as the output says, also after a reload, and receive its status', async () => {
    const { clock, ask, requests } = waitingFor(false, { waitForMs: 60_000, status: 404, cors: '*' })
    const first = ask('/live/a.ts')
    clock.advance(20_000)
    const second = ask('/live/b.ts')
    await turn()
    assert.deepEqual([first(), second(), requests.size], ['', '', 2])
    requests.update({ waitForMs: 15_000, status: 480 })
    await turn()
    assert.deepEqual([first(), second()], ['HTTP/1.1 480 Status', ''])
    clock.advance(15_000)
    await turn()
    assert.deepEqual([second(), requests.size], ['HTTP/1.1 480 Status', 0])
    requests.update({ waitForMs: 0, cors: '*' })
    const third = ask('/live/c.ts')
    await turn()
    assert.equal(third(), 'HTTP/1.1 503 Service Unavailable')
    assert.equal(requests.head(visit('/live/c.ts')).headers['Access-Control-Allow-Origin'], '*')
    assert.equal(requests.preflight(visit('/live/c.ts'))?.headers['Access-Control-Allow-Methods'], 'GET, HEAD')
    assert.equal(requests.preflight(visit('/live/bad.ts')), undefined)
  })

  test('go to the route that is claimed', () => {
    const { requests } = waitingFor()
    const table = new RouteTable('web')
    using _ = table.claimPattern(requests)
    const served: string[] = []
    requests.serve(new PassThrough(), visit('/live/a.ts'))
    requests.serve(new PassThrough(), visit('/live/b.ts'))
    const stream = {
      serve: (_socket: unknown, { path }: Visit) => void served.push(path),
      head: () => ({ status: 200, headers: {} }),
    }
    assert.equal('stream' in table.find('/live/a.ts', '/live/a.ts')!, true)
    table.claim({ path: '/live/a.ts', stream })
    assert.deepEqual(served, ['/live/a.ts'])
  })

  test('are no more than those of the pattern, and a prefix has what is below it', () => {
    const exact = waitingFor().requests
    assert.deepEqual(
      ['/live/a.ts', '/live/.ts', '/live/a/b.ts', '/live/a.ts/', '/live/a', '/other/a.ts', '/live/a.ts.ts'].map(
        (path) => exact.matches(path),
      ),
      [true, false, false, false, false, false, true],
    )
    const prefix = waitingFor(true).requests
    assert.deepEqual(
      ['/live/a/', '/live/a/x/y', '/live/a', '/live//x'].map((path) => prefix.matches(path)),
      [true, true, false, false],
    )
    const named = waitingFor(true, {}, '-hls/tv/').requests
    assert.deepEqual(
      ['/live/a-hls/tv/', '/live/a-hls/tv/x', '/live/a/tv/', '/live/-hls/tv/', '/live/a-hls/'].map((path) =>
        named.matches(path),
      ),
      [true, true, false, false, false],
    )
  })

  test('that wait are bounded, in all and for one address', async () => {
    const { ask, told, requests } = waitingFor()
    const crowd = Array.from({ length: 201 }, (_, index) => ask(`/live/k${index}.ts`))
    await turn()
    assert.deepEqual([crowd[199]?.(), crowd[200]?.()], ['', 'HTTP/1.1 503 Service Unavailable'])
    assert.deepEqual(told, [{ waiting: 200, address: '10.0.0.1' }])
    const others = Array.from({ length: 801 }, (_, index) => ask('/live/a.ts', `10.1.${index >> 6}.${index & 63}`))
    await turn()
    assert.deepEqual([others[799]?.(), others[800]?.()], ['', 'HTTP/1.1 503 Service Unavailable'])
    assert.deepEqual(told[1], { waiting: 1000 })
    requests.close()
    assert.equal(requests.size, 0)
  })

  test('whose client leaves are forgotten', () => {
    const { clock, requests } = waitingFor()
    const socket = new PassThrough()
    requests.serve(socket, visit('/live/a.ts'))
    socket.emit('close')
    assert.deepEqual([requests.size, clock.pending], [0, 0])
  })
})

describe('requests below a prefix of a pattern pipeline', () => {
  async function serving(t: TestContext, waitForMs: number) {
    const { log } = new KeptLog()
    const listener = new HttpListener({ name: 'web', address: '127.0.0.1:0', clock: REAL_CLOCK, log })
    await listener.bind()
    t.after(() => listener.close(0))
    const requests = new WaitingRequests({
      ...{ pattern: { before: '/live/', after: '/', isPrefix: true }, offline: { waitForMs, status: 404 } },
      ...{ clock: REAL_CLOCK, takesKey: () => true, onFull: () => undefined },
    })
    listener.claimPattern(requests)
    const ask = (path: string): RawClient => new RawClient(listener.address).get(path)
    return { listener, requests, ask }
  }

  test('wait, and are answered by the copy; its failure is answered with 500', async (t) => {
    const { listener, requests, ask } = await serving(t, 60_000)
    const [good, broken, other] = [ask('/live/a/index.m3u8'), ask('/live/a/broken'), ask('/live/b/index.m3u8')]
    await until(() => requests.size === 3, 'all wait')
    listener.claim({
      path: '/live/a/',
      isPrefix: true,
      respond: async (request, response) => {
        await Promise.resolve()
        if (request.url?.endsWith('broken') === true) throw new Error('broken')
        response.end(`hello ${request.url}`)
      },
    })
    await good.saw('hello /live/a/index.m3u8')
    await until(() => broken.status === 500, 'it is answered')
    assert.deepEqual([other.status, requests.size], [0, 1])
    other.close()
    await until(() => requests.size === 0, 'its client has left')
  })

  test('receive the status of the output when nobody publishes in time, HEAD at once', async (t) => {
    const { ask, listener } = await serving(t, 20)
    const [get, head] = [
      ask('/live/a/x'),
      new RawClient(listener.address).send('HEAD /live/a/x HTTP/1.1\r\nHost: a\r\n\r\n'),
    ]
    await get.saw('Nobody publishes this stream now.')
    await until(() => head.status !== 0, 'both are answered')
    assert.deepEqual([get.status, head.status], [404, 404])
    get.close()
    head.close()
  })
})
