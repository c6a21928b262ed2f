import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import { RouteTable } from './route-table.js'
import type { Visit } from './stream-handler.js'
import { WaitingRequests } from './waiting-requests.js'

const visit = (path: string): Visit => ({ client: '', address: '', headAtMs: 0, path, query: '', headers: [] })

function waitingFor(isPrefix = false, before = '/live/', after = isPrefix ? '/' : '.ts') {
  const clock = new FakeClock()
  const requests = new WaitingRequests({ before, after, isPrefix }, (key) => key !== 'bad', clock)
  const ask = (path: string): (() => string) => {
    const socket = new PassThrough()
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    requests.serve(socket, visit(path))
    return () => text.split('\r\n')[0] ?? ''
  }
  return { clock, requests, ask }
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
  })

  test('that wait are bounded', async () => {
    const { ask } = waitingFor()
    const answers = Array.from({ length: 1001 }, (_, index) => ask(`/live/k${index}.ts`))
    await turn()
    assert.deepEqual([answers[999]?.(), answers[1000]?.()], ['', 'HTTP/1.1 503 Service Unavailable'])
  })
})
