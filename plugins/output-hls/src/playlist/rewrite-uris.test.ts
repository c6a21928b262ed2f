import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leadInto, leadMediaOut } from './rewrite-uris.js'

test('the URIs of a multivariant playlist lead into a folder, those in tags too', () => {
  const text = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="URI=",NAME="a",URI="main-en.m3u8"
#EXT-X-I-FRAME-STREAM-INF:URI="main-iframes.m3u8",BANDWIDTH=1
#EXT-X-STREAM-INF:BANDWIDTH=1
main.m3u8
`
  assert.equal(
    leadInto(text, '~$1/'),
    `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="URI=",NAME="a",URI="~$1/main-en.m3u8"
#EXT-X-I-FRAME-STREAM-INF:URI="~$1/main-iframes.m3u8",BANDWIDTH=1
#EXT-X-STREAM-INF:BANDWIDTH=1
~$1/main.m3u8
`,
  )
})

test('the segments of a media playlist lead out of the folder, keys do not', () => {
  const text = '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="a.key"\n#EXTINF:2,\na.ts\n'
  assert.equal(leadMediaOut(text), '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="a.key"\n#EXTINF:2,\n../a.ts\n')
})
