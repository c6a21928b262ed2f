import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAttributeList } from './attribute-list.js'
import { LIVE, LOW_LATENCY, MULTIVARIANT, VOD } from './good-playlists.test.kit.js'
import { parsePlaylist } from './parse-playlist.js'
import { attributeOf } from './playlist.js'
import type { MediaPlaylist, MultivariantPlaylist } from './playlist.js'

const media = (text: string) => parsePlaylist(text) as MediaPlaylist

test('segments have the numbers, dates, gaps and discontinuities of the text', () => {
  const { segments, targetSeconds, hasEnded } = media(LIVE)
  assert.deepEqual([targetSeconds, hasEnded], [3, false])
  const [first, , third, , fifth] = segments
  assert.deepEqual([first?.sequence, first?.uri, first?.seconds, first?.line], [100, 's100.ts', 2, 9])
  assert.equal(first?.dateMs, Date.UTC(2026, 0, 1))
  assert.deepEqual([third?.isDiscontinuous, third?.discontinuitySequence], [true, 8])
  assert.deepEqual([fifth?.isGap, segments.length], [true, 6])
})

test('byte ranges, keys and maps apply to the segments behind them', () => {
  const [first, second] = media(VOD).segments
  assert.deepEqual(first?.byteRange, { length: 1000, offset: 0 })
  assert.deepEqual(second?.byteRange, { length: 1000, offset: undefined })
  assert.deepEqual([second?.key?.method, second?.map?.uri], ['AES-128', 'init.mp4'])
  assert.equal(media(VOD).type, 'VOD')
})

test('partial segments belong to the segment behind them, the last ones to none', () => {
  const { segments, openParts, partTargetSeconds } = media(LOW_LATENCY)
  assert.equal(partTargetSeconds, 0.5)
  assert.deepEqual(
    segments.map(({ parts }) => parts.length),
    [0, 0, 0, 0, 5],
  )
  assert.deepEqual([openParts[0]?.uri, openParts[0]?.isIndependent], ['s15.0.ts', true])
})

test('a delta update counts the segments that it skips', () => {
  const text =
    '#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:2,\na.ts\n'
  assert.deepEqual([media(text).segments[0]?.sequence, media(text).skipped], [8, 3])
})

test('numbers too large to count on from are taken for 0', () => {
  for (const name of ['#EXT-X-MEDIA-SEQUENCE:', '#EXT-X-SKIP:SKIPPED-SEGMENTS=']) {
    const text = `#EXTM3U\n${name}${'9'.repeat(20)}\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n`
    assert.deepEqual(
      media(text).segments.map(({ sequence }) => sequence),
      [0, 1],
    )
  }
})

test('variants, renditions and I-frame variants are listed with their attributes', () => {
  const { variants, renditions, iFrameVariants } = parsePlaylist(MULTIVARIANT) as MultivariantPlaylist
  assert.deepEqual(
    [variants, renditions, iFrameVariants].map((list) => list.map(({ uri }) => uri)),
    [['720.m3u8', '360.m3u8'], ['en.m3u8', 'de.m3u8', 'text.m3u8'], ['i.m3u8']],
  )
  assert.equal(attributeOf(variants[0]!, 'CODECS'), 'avc1.64001f,mp4a.40.2')
})

const lists = [
  { text: 'A=1,B="x,y",C=z', values: { A: '1', B: 'x,y', C: 'z' } },
  { text: 'A="",B=1x2', values: { A: '', B: '1x2' } },
  { text: 'A=1,,B=2', values: { A: '1' }, unreadable: ',B=2' },
  { text: 'A="1', values: {}, unreadable: 'A="1' },
  { text: 'A = 1', values: {}, unreadable: 'A = 1' },
  { text: '', values: {}, unreadable: '(empty)' },
  { text: 'A=1,', values: { A: '1' }, unreadable: ',' },
] as const

for (const { text, values, ...rest } of lists) {
  test(`the attribute list ${JSON.stringify(text)} is read up to what is wrong`, () => {
    const list = parseAttributeList(text)
    assert.deepEqual(Object.fromEntries([...list.values].map(([name, { value }]) => [name, value])), values)
    assert.equal(list.unreadable, 'unreadable' in rest ? rest.unreadable : undefined)
  })
}

test('what is no playlist at all is one, with findings', () => {
  for (const text of [
    '',
    '\u0000',
    '<html>',
    '#EXTM3U',
    '\uFEFF#EXTM3U\r\n\r\n',
    '#EXT',
    '#EXTINF:',
    'a\nb\n#EXT-X-KEY',
  ]) {
    assert.ok(['media', 'multivariant'].includes(parsePlaylist(text).kind), text)
  }
})
