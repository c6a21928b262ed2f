// Requests as TV sets and old players send them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RawClient, until } from '../listen/loopback.test.kit.js'
import { Feed, openRoom } from './delivery.test.kit.js'

const requests: readonly { name: string; lines: readonly string[] }[] = [
  { name: 'HTTP/1.0 without Host', lines: ['GET /live.ts HTTP/1.0'] },
  { name: 'HTTP/1.0 and keep-alive', lines: ['GET /live.ts HTTP/1.0', 'Connection: Keep-Alive'] },
  { name: 'lower-case headers', lines: ['GET /live.ts HTTP/1.1', 'host: tv', 'user-agent: x', 'range: bytes=0-'] },
  { name: 'upper-case headers', lines: ['GET /live.ts HTTP/1.1', 'HOST: TV:8000', 'USER-AGENT: X'] },
  { name: 'no space after the colon', lines: ['GET /live.ts HTTP/1.1', 'Host:tv', 'Accept:*/*'] },
  {
    name: 'spaces and tabs around values',
    lines: ['GET /live.ts HTTP/1.1', 'Host: \ttv \t', 'X:   ', 'Icy-MetaData: 1 '],
  },
  { name: 'a range from the start', lines: ['GET /live.ts HTTP/1.1', 'Host: tv', 'Range: bytes=0-'] },
  { name: 'a range in the middle', lines: ['GET /live.ts HTTP/1.1', 'Host: tv', 'Range: bytes=1000-2000'] },
  { name: 'a long head', lines: ['GET /live.ts HTTP/1.1', 'Host: tv', ...longHeaders()] },
  {
    name: 'headers of a player',
    lines: ['GET /live.ts HTTP/1.1', 'Host: tv', 'transferMode.dlna.org: Streaming', 'TE: trailers'],
  },
  {
    name: 'an upgrade request',
    lines: ['GET /live.ts HTTP/1.1', 'Host: tv', 'Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings'],
  },
  {
    name: 'Expect: 100-continue',
    lines: ['GET /live.ts HTTP/1.1', 'Host: tv', 'Expect: 100-continue', 'Content-Length: 0'],
  },
]

for (const { name, lines } of requests) {
  test(`serves the whole stream to a client with ${name}`, async () => {
    await using room = await openRoom()
    const route = room.open()
    const feed = new Feed(route, 1000)
    feed.push(3)
    const client = new RawClient(room.listener.address).send(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
    await client.saw('<preamble 0>')
    route.end()
    await client.ended()
    assert.equal(client.status, 200)
    assert.match(client.text, /Connection: close\r\n/)
    assert.doesNotMatch(client.text.split('\r\n\r\n')[0] ?? '', /Content-Range|Transfer-Encoding/)
    assert.ok(client.body.equals(feed.bytesFrom(0)))
    client.close()
  })
}

test('serves a head that arrives in pieces, and one of 16 KiB, but none larger', async () => {
  await using room = await openRoom()
  new Feed(room.open(), 1000).push()
  const start = 'GET /live.ts HTTP/1.1\r\nHost: tv\r\nX: '
  const client = new RawClient(room.listener.address).send(start)
  await until(() => room.listener.openConnections === 1, 'it is connected')
  client.send(`${'a'.repeat(16 * 1024 - start.length - 4)}\r\n\r\n`)
  await client.saw('<preamble 0>')
  const large = new RawClient(room.listener.address).send(`${start}${'a'.repeat(16 * 1024)}\r\n\r\n`)
  await large.ended()
  assert.equal(large.status, 431)
  for (const each of [client, large]) each.close()
})

/** About 15 KB. */
function longHeaders(): string[] {
  return Array.from({ length: 30 }, (_, at) => `X-Header-${at}: ${'value '.repeat(80)}`)
}
