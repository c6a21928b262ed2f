import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { PlaylistText } from './playlist-text.js'
import { ZippedText } from './zipped-text.js'

const LINE = '#EXTINF:2.000,\nmain-1.a-1796000000.ts\n'

test('a long text is zipped beside other work, once for all who ask for it, and a short one at once', async () => {
  const short = new PlaylistText(LINE, 'short').zip()
  assert.ok(Buffer.isBuffer(short))
  assert.equal(gunzipSync(short).toString(), LINE)
  const long = new PlaylistText(LINE.repeat(50_000), 'long')
  const asked = [long.zip(), long.zip()]
  assert.ok(asked.every((each) => each instanceof Promise))
  const [first, second] = await Promise.all(asked)
  assert.equal(first, second)
  assert.equal(long.zip(), first, 'from now on it is there')
  assert.equal(gunzipSync(first!).toString(), long.text)
})

test('a text that could not be zipped is zipped for the next who asks', async () => {
  const results = [() => Promise.reject(new Error('no memory')), () => Promise.resolve(Buffer.from('zipped'))]
  const text = new ZippedText(Buffer.alloc(100_000), () => results.shift()!())
  await assert.rejects(async () => text.get(), /no memory/)
  assert.equal((await text.get()).toString(), 'zipped')
  assert.ok(Buffer.isBuffer(text.get()))
})
