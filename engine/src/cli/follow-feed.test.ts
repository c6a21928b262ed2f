import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { keepStreams } from './cli-streams.test.kit.js'
import { followFeed } from './follow-feed.js'

setFlagsFromString('--expose-gc')
/** What only weak references hold is gone. */
const collectGarbage = runInNewContext('gc') as () => void

test('a feed whose connection is dead is connected again, and goes on where it stopped', async () => {
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers['last-event-id'])
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`id: r-${asked.length}\nevent: log\ndata: {}\n\n`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const collecting = setInterval(collectGarbage, 100)
  try {
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const streams = keepStreams({})
    let events = 0
    const code = await followFeed(streams, { url, token: undefined }, '/', {
      ...{ isFollowing: true, silentMs: 1500, onEvent: () => ++events < 2 },
    })
    assert.deepEqual([code, events, asked], [0, 2, [undefined, 'r-1']])
    assert.match(streams.errText(), /has said nothing for 1\.5 s; trying again\nconnected again\n/)
  } finally {
    clearInterval(collecting)
    server.closeAllConnections()
    server.close()
  }
})
