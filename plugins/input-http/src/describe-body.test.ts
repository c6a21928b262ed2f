import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compressionOf, describeBody } from './describe-body.js'

const CASES: readonly (readonly [body: string, pattern: RegExp])[] = [
  [
    '#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:4,\na.ts\n',
    /^this is an HLS playlist: the input `type: ffmpeg` plays it: `type: ffmpeg, url: URL`/,
  ],
  ['\u00ef\u00bb\u00bf\r\n#extm3u\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\nb.m3u8', /^this is an HLS playlist: /],
  [
    '#EXTM3U\n#EXTINF:-1 tvg-id="x",One\nhttp://a.example/1\n',
    /^this is a playlist of channels \(M3U\): set `url` to /,
  ],
  ['#EXTM3U url-tvg="x"\n', /^this is a playlist of channels/],
  ['[playlist]\nFile1=http://a.example/\n', /^this is a playlist \(PLS\): set `url`/],
  ['<ASX version="3.0">', /^this is a playlist \(ASX\)/],
  ['<?xml version="1.0"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/">', /^this is a playlist \(XSPF\)/],
  ['http://a.example/one.ts\nhttp://a.example/two.ts\n', /^this is a list of URLs: set `url`/],
  ['rtsp://a.example/one', /^this is a list of URLs/],
  [
    '<?xml version="1.0"?>\n<!-- x -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
    /^this is a DASH manifest: .*type: ffmpeg, url: URL/,
  ],
  [
    '<!DOCTYPE html><html><head><title>Log in\n</title>',
    /^this is an HTML page: its title is "Log in"; open the URL in a/,
  ],
  ['  <html>', /^this is an HTML page: open the URL/],
  ['<?xml version="1.0"?><html xmlns="x">', /^this is an HTML page/],
  ['<?xml version="1.0"?><error>x</error>', /^this is XML: it is no video/],
  ['{"error": "no such channel"}', /^this is JSON: "{.*no such channel.*}"$/],
  ['[100]', /^this is text: "\[100\]"$/],
  ['[{"a":1}]', /^this is JSON/],
  ['\0\0\0\u0018ftypisom', /^this is an MP4 file: .*type: ffmpeg, url: URL/],
  ['FLV\u0001\u0005', /^this is an FLV stream/],
  ['\u001aE\u00df\u00a3', /^this is a Matroska or WebM stream/],
  ['\0\0\u0001\u00ba', /^this is an MPEG program stream/],
  ['OggS\0', /^this is an Ogg stream/],
  ['ID3\u0004', /^this is an MP3 or AAC stream/],
  ['\u00ff\u00f1P', /^this is an MP3 or AAC stream/],
  ['\u00ff\u00fb\u0090', /^this is an MP3 or AAC stream/],
  ['\u00ff\u00d8\u00ff\u00e0', /^this is a picture/],
  ['\u0089PNG', /^this is a picture/],
  ['No such channel\r\nsorry', /^this is text: "No such channel"$/],
]

test('a body that is no transport stream is named, with what would play it', () => {
  for (const [body, pattern] of CASES) assert.match(describeBody(Buffer.from(body, 'latin1')) ?? '', pattern, body)
  for (const body of ['', 'x', '\0\0\0\0\0\0\0\0', '\u00ff\u00ff\u00ff\u00ff', '\u0080\u0081\u0082\u0083\u0001']) {
    assert.equal(describeBody(Buffer.from(body, 'latin1')), undefined, body)
  }
})

test('compressions are told by their first bytes', () => {
  assert.equal(compressionOf(Uint8Array.of(0x1f, 0x8b, 8)), 'gzip')
  assert.equal(compressionOf(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)), 'zstd')
  assert.equal(compressionOf(Uint8Array.of(0x47)), undefined)
})

test('the name of any body is a short line of printable text', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '<?xml ',
    '<title>',
    '<html',
    '{',
    '"',
    '#EXTM3U',
    '\n',
    '\u0007',
    '\u00e9',
    'a',
  )
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 300 }), (text) => {
      assert.match(describeBody(Buffer.from(text, 'latin1')) ?? '', /^[ -~]{0,400}$/)
    }),
  )
})
