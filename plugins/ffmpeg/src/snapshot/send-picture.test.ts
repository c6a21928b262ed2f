import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { sendPicture } from './send-picture.js'
import type { PictureAnswer } from './send-picture.js'

const picture = { bytes: new Uint8Array([1, 2, 3]), etag: '"abc"', atMs: Date.UTC(2026, 0, 2), format: 'webp' } as const
const good: PictureAnswer = { picture, lack: '', maxAgeSeconds: 5, isPrivate: false }

async function ask(
  answer: PictureAnswer,
  init: RequestInit,
): Promise<{ response: Response; body: Uint8Array; sent: number }> {
  let sent = -1
  const server = createServer((request, response) => (sent = sendPicture(request, response, answer)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, init)
    return { response, body: new Uint8Array(await response.arrayBuffer()), sent }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

for (const [name, init, status, bytes] of [
  ['GET has the picture', {}, 200, 3],
  ['HEAD has its headers alone', { method: 'HEAD' }, 200, 0],
  ['the same picture is not sent again', { headers: { 'if-none-match': '"abc"' } }, 304, 0],
  ['nor if it is one of several', { headers: { 'if-none-match': '"x", W/"abc"' } }, 304, 0],
  ['nor if any will do', { headers: { 'if-none-match': '*' } }, 304, 0],
  ['another one is', { headers: { 'if-none-match': '"abcd"' } }, 200, 3],
] as const) {
  test(name, async () => {
    const { response, body, sent } = await ask(good, init)
    assert.equal(response.status, status)
    assert.equal(body.length, bytes)
    assert.equal(sent, bytes)
    assert.equal(response.headers.get('etag'), '"abc"')
    assert.equal(response.headers.get('cache-control'), 'public, max-age=5')
    assert.equal(response.headers.get('last-modified'), 'Fri, 02 Jan 2026 00:00:00 GMT')
    if (status === 200) assert.equal(response.headers.get('content-length'), '3')
    if (status === 200) assert.equal(response.headers.get('content-type'), 'image/webp')
  })
}

test('only the viewer may keep what a provider has admitted', async () => {
  const { response } = await ask({ ...good, isPrivate: true }, {})
  assert.equal(response.headers.get('cache-control'), 'private, max-age=5')
})

test('before the first picture it says why there is none, and when to ask again', async () => {
  const none = { ...good, picture: undefined, lack: 'the stream has no pictures' }
  const { response, body } = await ask(none, {})
  assert.equal(response.status, 503)
  assert.equal(Buffer.from(body).toString(), 'There is no picture yet: the stream has no pictures.\n')
  assert.equal(response.headers.get('retry-after'), '2')
  assert.equal(response.headers.get('cache-control'), 'no-store')
})
