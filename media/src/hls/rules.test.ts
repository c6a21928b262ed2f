import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPlaylist } from './check-playlist.js'
import { I_FRAMES, LIVE, LOW_LATENCY, MULTIVARIANT, RANGES, VOD } from './good-playlists.test.kit.js'
import { parsePlaylist } from './parse-playlist.js'
import { RULE_GROUPS, RULES } from './rules.js'
import { goodMedia, RESPONSE_VECTORS, SEGMENT_VECTORS } from './segment-vectors.test.kit.js'
import { TEXT_VECTORS } from './text-vectors.test.kit.js'
import {
  COUNTED,
  goodPresentations,
  NEXT,
  PRESENTATION_VECTORS,
  UPDATE_VECTORS,
  watch,
} from './time-vectors.test.kit.js'

const VECTORS = [...TEXT_VECTORS, ...UPDATE_VECTORS, ...PRESENTATION_VECTORS, ...RESPONSE_VECTORS, ...SEGMENT_VECTORS]
/** Whoever loads playlists and segments reports these. */
const OF_THE_LOADER = [
  ...['not-served', 'key-not-served', 'key-length', 'map-not-served', 'byterange-short'],
  ...['segment-gone-early', 'segment-decrypt'],
]

for (const { rule, name, found } of VECTORS) {
  test(`${rule} is what ${name ?? 'its vector'} breaks, and nothing else`, () => {
    assert.deepEqual([...new Set(found().map((finding) => finding.rule))], [rule])
  })
}

test('every rule has a vector', () => {
  const missing = Object.keys(RULES).filter((rule) => !VECTORS.some((vector) => vector.rule === rule))
  assert.deepEqual(missing, OF_THE_LOADER)
})

test('every rule is in one group of the documentation, with a sentence', () => {
  const grouped = Object.values(RULE_GROUPS).flatMap((group) => Object.entries(group))
  assert.deepEqual(grouped.map(([id]) => id).sort(), Object.keys(RULES).sort())
  for (const [id, { sentence }] of grouped) assert.match(sentence, /^[A-Z#].{10,160}\.$/, id)
})

for (const [name, text] of Object.entries({ LIVE, VOD, RANGES, I_FRAMES, LOW_LATENCY, MULTIVARIANT })) {
  test(`the good playlist ${name} breaks no rule, with either line ending`, () => {
    assert.deepEqual(checkPlaylist(parsePlaylist(text)), [])
    assert.deepEqual(checkPlaylist(parsePlaylist(text.replaceAll('\n', '\r\n'))), [])
  })
}

test('versions that remove segments at the head and append at the end break no rule', () => {
  assert.deepEqual(watch([0, LIVE], [2, NEXT], [4, COUNTED]), [])
  assert.deepEqual(watch([0, LIVE], [2, COUNTED], [6, COUNTED]), [])
  assert.deepEqual(watch([0, LIVE], [1, `${LIVE}#EXT-X-ENDLIST\n`], [60, `${LIVE}#EXT-X-ENDLIST\n`]), [])
})

test('a date range leaves with the segments of its time, or before its time is listed', () => {
  const tag = '#EXT-X-DATERANGE:ID="b",START-DATE="2026-01-01T00:00:00Z",DURATION=63\n'
  const later = tag.replace('00:00:00Z', '00:09:00Z')
  for (const each of [tag, later])
    assert.deepEqual(watch([0, LIVE.replace('#EXTINF', `${each}#EXTINF`)], [2, COUNTED]), [])
})

test('a date range that is cancelled before its time can leave with the segment of that time', () => {
  // LIVE ends at 00:01:12, the next segment at 00:01:15.
  const tag = '#EXT-X-DATERANGE:ID="b",START-DATE="2026-01-01T00:01:13Z",SCTE35-OUT=0xFC30\n'
  assert.deepEqual(watch([0, LIVE.replace('#EXTINF', `${tag}#EXTINF`)], [2, NEXT]), [])
})

test('good presentations, responses and segments break no rule', () => {
  assert.deepEqual(goodPresentations(), [])
  assert.deepEqual(goodMedia(), [])
})
