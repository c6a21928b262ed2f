import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPresentation } from './check-presentation.js'
import { parsePlaylist } from './parse-playlist.js'

/** Segments of these lengths; the last one is behind a discontinuity. */
function mediaOf(seconds: readonly number[]) {
  let startMs = Date.UTC(2026, 10, 30)
  const segments = seconds.map((each, index) => {
    const date = `#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs).toISOString()}\n`
    startMs += each * 1000
    return `${index === seconds.length - 1 ? '#EXT-X-DISCONTINUITY\n' : ''}${date}#EXTINF:${each},\n${index}.ts\n`
  })
  const head = '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:3\n'
  const playlist = parsePlaylist(head + segments.join(''))
  assert.ok(playlist.kind === 'media')
  return playlist
}

test('segments that last less than dates may differ are compared with their own counterparts', () => {
  const multivariant = parsePlaylist(
    '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n',
  )
  assert.ok(multivariant.kind === 'multivariant')
  const rulesOf = (low: readonly number[], high: readonly number[]) => {
    const playlists = [low, high].map((each, index) => ({
      ...{ name: index === 0 ? 'low' : 'high', role: 'video' as const },
      playlist: mediaOf(each),
    }))
    return checkPresentation(multivariant, playlists).map(({ rule }) => rule)
  }
  assert.deepEqual(rulesOf([2, 0.04, 2], [2, 0.04, 2]), [])
  assert.deepEqual(rulesOf([2, 0.04, 2], [2, 0.02, 2]), [])
  assert.deepEqual(rulesOf([2, 2, 2], [2, 2]), ['discontinuities-differ'])
})
