import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPlaylist, parsePlaylist } from '@millrace/media/hls'
import { describeCaptions } from './caption-members.js'
import { renderMultivariant } from './render-multivariant.js'

const VARIANT = {
  ...{ uri: 'main.m3u8', bandwidth: 2_000_000, averageBandwidth: 1_500_000, codecs: 'avc1.64001f' },
  ...{ width: 1280, height: 720, frameRate: 25 },
}

test('closed captions of both standards are listed, under the version that those of CEA-708 need', () => {
  for (const [ids, version] of [
    [['CC1'], 6],
    [['CC1', 'SERVICE1'], 7],
  ] as const) {
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
