import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { HttpReader } from './http-reader.js'

const built = buildTs({ durationS: 1 })
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n'

test('head and body are separated wherever the pieces are cut, and the body is checked', async () => {
  const answer = Buffer.concat([Buffer.from(HEAD), built.bytes])
  await using server = await serve((socket) => socket.write(answer.subarray(0, 30)))
  await using reader = new HttpReader(`${server.url}/one.ts?x=1`)
  await reader.until(() => reader.socket.bytesRead === 30)
  assert.equal(reader.report().status, 0)
  server.sockets[0]?.end(answer.subarray(30))
  const { status, headers, bodyBytes, ts, firstByteMs, ended } = await reader.done()
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'video/mp2t')
  assert.equal(bodyBytes, built.bytes.length)
  assert.equal(ended, 'end')
  assert.equal(ts?.packets, built.packets)
  assert.equal(ts?.continuityErrors, 0)
  assert.ok(firstByteMs !== undefined && firstByteMs >= 0)
  assert.match(server.requests[0] ?? '', /^GET \/one\.ts\?x=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n\r\n$/)
})

test('a paused reader reads nothing until it resumes', async () => {
  await using server = await serve((socket) => socket.write(HEAD))
  await using reader = new HttpReader(server.url, { check: false })
  await reader.until((report) => report.status === 200)
  reader.pause()
  const [socket] = server.sockets
  let flushed = false
  while (socket?.write(built.bytes) === true) flushed = true
  assert.equal(reader.report().bodyBytes, 0)
  assert.equal(reader.report().ts, undefined)
  reader.resume()
  await reader.until((report) => report.bodyBytes >= built.bytes.length)
  assert.ok(flushed || socket?.destroyed === false)
})

test('waiting for something that can no longer happen fails with the reason', async () => {
  await using server = await serve((socket) => socket.end(HEAD))
  await using reader = new HttpReader(server.url)
  await assert.rejects(
    reader.until((report) => report.bodyBytes > 0),
    /ended \(end\) after 0 bytes/,
  )
})

test('a refused connection is an error in the report', async () => {
  const server = await serve(() => undefined)
  await server[Symbol.asyncDispose]()
  await using reader = new HttpReader(server.url)
  const { ended, error } = await reader.done()
  assert.equal(ended, 'error')
  assert.match(error ?? '', /ECONNREFUSED/)
})

interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly requests: string[]
  readonly sockets: Socket[]
}

/** Calls `answer` for each request head. */
async function serve(answer: (socket: Socket) => void): Promise<TestServer> {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.once('data', (head) => {
      requests.push(head.toString('latin1'))
      answer(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}
