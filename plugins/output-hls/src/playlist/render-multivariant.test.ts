import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPlaylist, parsePlaylist } from '@millrace/media/hls'
import { describeCaptions } from './caption-members.js'
import { renderMultivariant } from './render-multivariant.js'
import { headTags } from './render-playlist.js'

const VARIANT = {
  ...{ uri: 'main.m3u8', bandwidth: 2_000_000, averageBandwidth: 1_500_000, codecs: 'avc1.64001f' },
  ...{ size: { width: 1280, height: 720 }, frameRate: 25 },
}

test('closed captions of both standards are listed, under the version of the media playlists', () => {
  const from = { targetSeconds: 3, entries: [], discontinuitySequence: 1, areIndependent: true }
  const head = [...headTags({ ...from, life: '3.m', hasEnded: false }), '']
  const { version } = parsePlaylist(head.join('\n'))
  for (const ids of [['CC1'], ['CC1', 'SERVICE1']]) {
    const captions = describeCaptions(ids, new Uint8Array(0))
    const text = renderMultivariant({ variants: [VARIANT], areIndependent: true, audio: [], captions })
    const playlist = parsePlaylist(text)
    assert.equal(playlist.version, version)
    const rules = checkPlaylist(playlist).map(({ rule }) => rule)
    assert.deepEqual(
      rules.filter((rule) => rule.startsWith('version')),
      [],
    )
  }
})
