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

/** The same with other line ends. */
const heads: readonly { name: string; head: string }[] = [
  ...requests.map(({ name, lines }) => ({ name, head: `${lines.join('\r\n')}\r\n\r\n` })),
  { name: 'lines that end with LF alone', head: 'GET /live.ts HTTP/1.0\nUser-Agent: box\n\n' },
  { name: 'an empty line in front', head: '\r\nGET /live.ts HTTP/1.1\r\nHost: tv\r\n\r\n' },
  { name: 'two empty lines in front', head: '\n\r\nGET /live.ts HTTP/1.1\nHost: tv\n\n' },
  { name: 'a body', head: 'GET /live.ts HTTP/1.1\r\nHost: tv\r\nContent-Length: 3\r\n\r\nabc' },
  {
    name: 'a chunked body',
    head: 'GET /live.ts HTTP/1.1\r\nHost: tv\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  },
]

for (const { name, head } of heads) {
  test(`serves the whole stream to a client with ${name}`, async () => {
    await using room = await openRoom()
    const route = room.open()
    const feed = new Feed(route, 1000)
    feed.push(3)
    const client = new RawClient(room.listener.address).send(Buffer.from(head, 'latin1'))
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

test('reads a head with LF alone that arrives byte by byte', async () => {
  await using room = await openRoom()
  new Feed(room.open(), 1000).push()
  const client = new RawClient(room.listener.address)
  for (const byte of '\r\nGET /live.ts HTTP/1.0\nUser-Agent: box\n\n') {
    client.send(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await client.saw('<preamble 0>')
  client.close()
})

test('tells a browser what pages of other origins may send, where `cors` is set and nowhere else', async () => {
  await using room = await openRoom()
  room.open({ cors: '*', auth: ['nobody'] })
  room.open({ path: '/private.ts', id: 'one/private' })
  const ask = (path: string, asked: string): Promise<RawClient> =>
    new RawClient(room.listener.address)
      .send(
        `OPTIONS ${path} HTTP/1.1\r\nHost: a\r\nOrigin: http://page.example\r\n` +
          `Access-Control-Request-Method: GET\r\n${asked}Connection: close\r\n\r\n`,
      )
      .ended()
  const allowed = await ask('/live.ts', 'Access-Control-Request-Headers: authorization, x-player\r\n')
  assert.equal(allowed.status, 204)
  assert.match(allowed.text, /Access-Control-Allow-Origin: \*\r\n/)
  assert.match(allowed.text, /Access-Control-Allow-Headers: authorization, x-player\r\n/)
  assert.match(allowed.text, /Access-Control-Allow-Methods: GET, HEAD\r\n/)
  const odd = await ask('/live.ts', 'Access-Control-Request-Headers: a b;c\r\n')
  assert.match(odd.text, /Access-Control-Allow-Headers: Authorization, Range\r\n/)
  const refused = await ask('/private.ts', '')
  assert.equal(refused.status, 405)
  assert.doesNotMatch(refused.text, /Access-Control/)
  for (const each of [allowed, odd, refused]) each.close()
})

/** About 15 KB. */
function longHeaders(): string[] {
  return Array.from({ length: 30 }, (_, at) => `X-Header-${at}: ${'value '.repeat(80)}`)
}
