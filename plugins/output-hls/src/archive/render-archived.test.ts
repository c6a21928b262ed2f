import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkPlaylist, checkPresentation, type MediaPlaylist, parsePlaylist } from '@millrace/media/hls'
import type { SegmentRecord } from '../history/segment-record.js'
import { renderArchived } from './render-archived.js'

const NAMES = ['low', 'high'] as const
const FROM_MS = 1_796_004_000_000
const FILE = { bytes: 1000, isIndependent: true }
const IFRAME = { offset: 376, length: 188, init: 'one.init' }

interface Given {
  readonly has: readonly string[]
  readonly isNew?: boolean
  readonly target?: number
}

function recordOf({ has, isNew = false, target = 3 }: Given, index: number): SegmentRecord {
  const media = Object.fromEntries(has.map((name) => [name, { ...FILE, iframe: IFRAME }]))
  return {
    ...{ kind: 'segment', life: '3.m', target, total: 0, discontinuity: 1, media, isNew },
    ...{ sequence: 100 + index, name: `${100 + index}`, ticks: 180_000, dateMs: FROM_MS + index * 2000 },
  }
}

/** The media playlists of all renditions; what is broken between them, and in them. */
async function render(given: readonly Given[]): Promise<readonly MediaPlaylist[]> {
  const segments = given.map(recordOf)
  const texts = await Promise.all(
    NAMES.flatMap((name) => [renderArchived(segments, name, 'media'), renderArchived(segments, name, 'iframes')]),
  )
  const playlists = texts.map((text) => parsePlaylist(text ?? assert.fail('it has no playlist')) as MediaPlaylist)
  const [version] = playlists.map((playlist) => playlist.version)
  const uris = NAMES.map((name) => `#EXT-X-STREAM-INF:BANDWIDTH=1\n${name}.m3u8\n`).join('')
  const multivariant = parsePlaylist(`#EXTM3U\n#EXT-X-VERSION:${version}\n#EXT-X-INDEPENDENT-SEGMENTS\n${uris}`)
  assert.ok(multivariant.kind === 'multivariant')
  const presented = playlists.map((playlist, index) => ({
    ...{ name: NAMES[Math.floor(index / 2)]!, playlist },
    role: playlist.isIFramesOnly ? ('i-frames' as const) : ('video' as const),
  }))
  assert.deepEqual(checkPresentation(multivariant, presented), [])
  assert.deepEqual(
    playlists.flatMap(checkPlaylist).filter(({ rule }) => rule !== 'first-is-gap'),
    [],
  )
  const starts = playlists.map(({ segments: [first], targetSeconds }) => [first?.dateMs, targetSeconds])
  for (const start of starts) assert.deepEqual(start, starts[0], 'they begin together, with the same target duration')
  return playlists
}

const BOTH = { has: NAMES }
const ALONE = { has: ['low'] }

describe('renditions of one time have the same numbers, start and target duration', () => {
  for (const { name, given, first, gaps } of [
    { name: 'all from the beginning', given: [BOTH, BOTH, BOTH], first: 0, gaps: 0 },
    {
      name: 'one later, behind a discontinuity',
      given: [ALONE, ALONE, { ...ALONE, isNew: true }, BOTH, BOTH, BOTH],
      first: 3,
      gaps: 0,
    },
    { name: 'one later than half of a short time', given: [ALONE, ALONE, ALONE, BOTH], first: 0, gaps: 3 },
    { name: 'one that soon stops', given: [ALONE, BOTH, ALONE, ALONE, ALONE, ALONE], first: 0, gaps: 5 },
    { name: 'one much later', given: [...Array<Given>(8).fill(ALONE), { ...BOTH, isNew: true }], first: 0, gaps: 8 },
    { name: 'behind an outage', given: [{ has: [] }, { has: [] }, BOTH], first: 2, gaps: 0 },
    { name: 'a longer target duration at first', given: [{ ...ALONE, target: 4 }, BOTH, BOTH], first: 1, gaps: 0 },
  ]) {
    test(name, async () => {
      const [, , high] = await render(given)
      assert.equal(high?.segments[0]?.dateMs, FROM_MS + first * 2000)
      assert.equal(high.segments.filter(({ isGap }) => isGap).length, gaps)
    })
  }
})

test('a rendition that has nothing of that time has no playlist', async () => {
  assert.equal(await renderArchived([ALONE, ALONE].map(recordOf), 'high', 'media'), undefined)
  assert.equal(await renderArchived([], 'low', 'media'), undefined)
})

test('date ranges are listed by their dates', async () => {
  const ranges = [1000, 0].map((ms) => {
    const startMs = FROM_MS + ms
    return { id: String(startMs), event: '1', startMs, sections: { 'SCTE35-CMD': 'AAAA' } }
  })
  const text = await renderArchived([BOTH, BOTH].map(recordOf), 'low', 'media', ranges)
  const ids = [...text!.matchAll(/DATERANGE:ID="(\d+)"/g)].map(([, id]) => Number(id))
  assert.deepEqual(ids, [FROM_MS, FROM_MS + 1000])
})
