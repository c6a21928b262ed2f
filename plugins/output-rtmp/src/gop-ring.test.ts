import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaMessage, MESSAGE } from '@millrace/rtmp'
import { GopRing } from './gop-ring.js'
import rtmp from './index.js'
import { rtmpOutputOptions } from './rtmp-output-options.js'

const BITS_PER_SECOND = 5_000_000
const FRAME_MS = 40
const CHUNK_SIZE = 4096

for (const gopMs of [1000, 2000, 4000]) {
  test(`a key frame every ${gopMs} ms takes what the output says of its memory, within a factor of three`, () => {
    const ring = new GopRing()
    const body = new Uint8Array((BITS_PER_SECOND / 8000) * FRAME_MS)
    for (let atMs = 0; atMs < 3 * gopMs; atMs += FRAME_MS) {
      const message = new MediaMessage(MESSAGE.video, atMs % gopMs === 0 ? 'key' : 'inter', atMs, body)
      if (atMs % gopMs === 0) ring.start(message, [], atMs)
      else ring.add(message)
    }
    let chunkBytes = 0
    ring.send((message) => (chunkBytes += message.chunks(CHUNK_SIZE, 1).length))
    const held = ring.bytes + chunkBytes
    const options = rtmpOutputOptions.parse({ mode: 'serve', listener: 'rtmp', app: 'live' })
    const usual = rtmp.usualMemory?.(options, BITS_PER_SECOND, 1).sharedBytes ?? assert.fail()
    assert.ok(usual < 3 * held && held < 3 * usual, `${usual} said, ${held} held`)
  })
}
