// Random texts and random mutations of good playlists: parser and rules accept anything, keep their bounds, and count
// segments as the text has them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPlaylist, FindingList, parsePlaylist, PlaylistWatch, RULES, SegmentWatch } from '@millrace/media/hls'
import type { Playlist, Segment } from '@millrace/media/hls'
import { seeded } from './seeded.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1500)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32)

const LINES = [
  ...['#EXTM3U', '#EXT-X-VERSION:9', '#EXT-X-TARGETDURATION:4', '#EXT-X-MEDIA-SEQUENCE:7', '#EXT-X-ENDLIST'],
  ...[
    '#EXT-X-DISCONTINUITY-SEQUENCE:1',
    '#EXT-X-DISCONTINUITY',
    '#EXT-X-GAP',
    '#EXTINF:4.0,',
    '#EXTINF:2,title',
    'a.ts',
  ],
  ...['#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z', '#EXT-X-BYTERANGE:10@20', '#EXT-X-BYTERANGE:10', 'b.ts?x=y'],
  ...['#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1', '#EXT-X-MAP:URI="i"', '#EXT-X-PART-INF:PART-TARGET=0.5', ''],
  ...['#EXT-X-PART:DURATION=0.4,URI="p"', '#EXT-X-SERVER-CONTROL:HOLD-BACK=12,CAN-BLOCK-RELOAD=YES', '# comment'],
  ...['#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z",DURATION=1', '#EXT-X-SKIP:SKIPPED-SEGMENTS=99999999'],
  ...['#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64001f"', '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b"'],
  ...['#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p"', '#EXT-X-PLAYLIST-TYPE:EVENT', '#EXT-X-START:TIME-OFFSET=-9'],
]
const JUNK = [
  '\u0000',
  '"',
  ',',
  '=',
  ':',
  '\uFEFF',
  '\r',
  '\n',
  '#EXT',
  '-1',
  '1e999',
  'NaN',
  '\ud800',
  '9'.repeat(400),
]

/** Lines of playlists in any order, some with junk inside. */
function randomText(random: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const lines = Array.from({ length: Math.floor(random() * 40) }, () => {
    const line = pick(LINES)
    if (random() > 0.2) return line
    const at = Math.floor(random() * (line.length + 1))
    return line.slice(0, at) + pick(JUNK) + line.slice(at + Math.floor(random() * 3))
  })
  return (random() < 0.8 ? ['#EXTM3U', ...lines] : lines).join(random() < 0.5 ? '\n' : '\r\n')
}

function assertSound(playlist: Playlist, text: string): void {
  for (const { rule, line = 1, seen } of checkPlaylist(playlist)) {
    assert.ok(rule in RULES && seen.length < 5000)
    assert.ok(line >= 1 && line <= text.split('\n').length, `${rule} in line ${line}`)
  }
  if (playlist.kind !== 'media') return
  const uris = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(playlist.segments.length, uris.length)
  for (const [index, { sequence }] of playlist.segments.entries()) {
    if (index > 0) assert.ok(sequence > (playlist.segments[index - 1]?.sequence ?? 0), 'numbers grow')
  }
}

test(`any text is parsed and checked without an exception, within bounds (seed ${SEED})`, () => {
  const random = seeded(SEED)
  let watch = new PlaylistWatch()
  let nowMs = 0
  for (let run = 0; run < RUNS; run++) {
    const text = randomText(random)
    const playlist = parsePlaylist(text)
    assertSound(playlist, text)
    if (random() < 0.1) watch = new PlaylistWatch()
    nowMs += random() * 10_000
    const list = new FindingList()
    if (playlist.kind === 'media') list.add('x', watch.push(playlist, { askedMs: nowMs, answeredMs: nowMs }).findings)
    assert.ok(list.list().every(({ count }) => count > 0))
  }
})

test(`any bytes are accepted as a segment (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const watch = new SegmentWatch()
  for (let run = 0; run < RUNS / 10; run++) {
    const bytes = new Uint8Array(Math.floor(random() * 188 * 20)).map(() => random() * 256)
    // Half of them look like packets.
    if (random() < 0.5)
      for (let at = 0; at + 188 <= bytes.length; at += 188) bytes.set([0x47, 0x40, random() < 0.5 ? 0 : 0x11], at)
    const segment: Segment = {
      ...{ line: 1, uri: 'a.ts', seconds: 1, sequence: run, discontinuitySequence: 0, isDiscontinuous: random() < 0.1 },
      ...{ isGap: false, byteRange: undefined, key: undefined, map: undefined, dateMs: undefined, parts: [] },
    }
    watch.push(segment, bytes, { areIndependent: true, isIFramesOnly: random() < 0.1, codecs: 'avc1.64001f' })
  }
})
