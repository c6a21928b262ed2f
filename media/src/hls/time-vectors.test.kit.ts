// Vectors of the rules between versions of a playlist, and between the playlists of a presentation.
import { checkPresentation } from './check-presentation.js'
import type { PresentedPlaylist } from './check-presentation.js'
import type { Finding } from './finding.js'
import { I_FRAMES, LIVE, LOW_LATENCY, MULTIVARIANT, RANGES } from './good-playlists.test.kit.js'
import { parsePlaylist } from './parse-playlist.js'
import type { MediaPlaylist, MultivariantPlaylist } from './playlist.js'
import { PlaylistWatch } from './playlist-watch.js'
import { replaced } from './vector.test.kit.js'
import type { Vector } from './vector.test.kit.js'

/** A version and the second at which it is loaded. */
export type Version = readonly [second: number, text: string]

function mediaOf(text: string): MediaPlaylist {
  const playlist = parsePlaylist(text)
  if (playlist.kind !== 'media') throw new Error('no media playlist')
  return playlist
}

export function watch(...versions: readonly Version[]): readonly Finding[] {
  const watching = new PlaylistWatch()
  return versions.flatMap(([second, text]) => {
    return watching.push(mediaOf(text), { askedMs: second * 1000, answeredMs: second * 1000 + 10 }).findings
  })
}

const NEW = '#EXTINF:3.0,\ns106.ts\n'
/** The first two segments have gone, so the first that is left has the DISCONTINUITY. */
export const NEXT = LIVE.replace(/#EXT-X-PROGRAM[^]*?s101.ts\n/, '').replace('SEQUENCE:100', 'SEQUENCE:102') + NEW
/** All three in front of the DISCONTINUITY and the segment behind it have gone. */
export const COUNTED = LIVE.replace(/#EXT-X-PROGRAM[^]*?s102.ts\n/, '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:03Z\n')
  .replace('SEQUENCE:100', 'SEQUENCE:103')
  .replace('SEQUENCE:7', 'SEQUENCE:8')
  .concat(NEW)
const FEW = LIVE.replace(/#EXT-X-PROGRAM[^]*?s102.ts\n/, '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:03Z\n')
  .replace('SEQUENCE:100', 'SEQUENCE:103')
  .replace('SEQUENCE:7', 'SEQUENCE:8')
const EVENT = replaced(LIVE, '#EXT-X-MEDIA-SEQUENCE', '#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-SEQUENCE')
const ended = (text: string) => `${text}#EXT-X-ENDLIST\n`
const RANGE_TAG = '#EXT-X-DATERANGE:ID="b",START-DATE="2026-01-01T00:01:00Z",SCTE35-OUT=0xFC30'
const BREAK = replaced(LIVE, '#EXTINF', `${RANGE_TAG}\n#EXTINF`)
const LONG_TAG = '#EXT-X-DATERANGE:ID="b",START-DATE="2025-12-31T23:59:00Z",DURATION=125'
const LONG_BREAK = replaced(LIVE, '#EXTINF', `${LONG_TAG}\n#EXTINF`)
const after = (rule: Vector['rule'], text: string, from: string, to: string, name?: string): Vector => ({
  ...{ rule, found: () => watch([0, text], [0.3, replaced(text, from, to)]) },
  ...(name === undefined ? {} : { name }),
})

export const UPDATE_VECTORS: readonly Vector[] = [
  after('target-changed', LIVE, 'DURATION:3', 'DURATION:4'),
  after('part-target-changed', LOW_LATENCY, 'PART-TARGET=0.5', 'PART-TARGET=0.51'),
  after('server-control-changed', LOW_LATENCY, 'PART-HOLD-BACK=1.5', 'PART-HOLD-BACK=1.6'),
  after('sequence-back', LIVE, 'SEQUENCE:100', 'SEQUENCE:0'),
  after('segment-renumbered', LIVE, '#EXTINF:2.0,\ns100.ts\n', '', 'without counting'),
  after('segment-renumbered', LIVE, 'MEDIA-SEQUENCE:100', 'MEDIA-SEQUENCE:101', 'counting too much'),
  after('segment-changed', LIVE, '#EXTINF:3.0,\ns105', '#EXTINF:2.9,\ns105', 'the duration'),
  after('segment-changed', LIVE, 's101.ts', 'other.ts', 'the URI'),
  after('segment-changed', LIVE, '#EXT-X-GAP\n', '', 'the gap'),
  after('segment-key-changed', I_FRAMES, 'URI="1.key"', 'URI="3.key"', 'the key'),
  after('segment-key-changed', I_FRAMES, 'IV=0x00000000000000000000000000000002', 'IV=0x2A', 'the IV'),
  after('segment-key-changed', I_FRAMES, /#EXT-X-KEY.*1\n/.exec(I_FRAMES)?.[0] ?? '', '', 'no key'),
  after('segment-key-changed', I_FRAMES, 'init.ts', 'other.ts', 'the EXT-X-MAP'),
  after('segment-withdrawn', LIVE, '#EXTINF:3.0,\ns105.ts\n', ''),
  after('discontinuity-sequence-back', LIVE, 'SEQUENCE:7', 'SEQUENCE:6'),
  {
    rule: 'discontinuity-sequence-missing',
    found: () => {
      const [before, next] = [LIVE, COUNTED].map((text) => text.replace(/#EXT-X-DISCONTINUITY-SEQUENCE.*\n/, ''))
      return watch([0, before ?? ''], [2, next ?? ''])
    },
  },
  {
    rule: 'discontinuity-sequence-count',
    found: () => watch([0, LIVE], [2, replaced(COUNTED, 'SEQUENCE:8', 'SEQUENCE:7')]),
  },
  {
    rule: 'live-too-short',
    found: () =>
      watch([0, LIVE], [2, replaced(FEW, '#EXTINF:3.0,\ns103.ts\n', '').replace('SEQUENCE:103', 'SEQUENCE:104')]),
  },
  { rule: 'update-late', found: () => watch([0, LIVE], [4, LIVE], [4.6, LIVE], [5, LIVE]) },
  { rule: 'part-late', found: () => watch([0, LOW_LATENCY], [0.4, LOW_LATENCY], [0.6, LOW_LATENCY]) },
  { rule: 'ended-changed', name: 'more segments', found: () => watch([0, ended(LIVE)], [2, ended(LIVE + NEW)]) },
  { rule: 'ended-changed', name: 'no end', found: () => watch([0, ended(LIVE)], [2, LIVE]) },
  {
    rule: 'event-removed',
    found: () => watch([0, EVENT], [2, replaced(NEXT, '#EXT-X-TARGET', '#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-TARGET')]),
  },
  after(
    'daterange-changed',
    RANGES,
    'CLASS="ad",START-DATE="2026-01-01T00:00:20Z"',
    'CLASS="x",START-DATE="2026-01-01T00:00:20Z"',
  ),
  after('daterange-removed', BREAK, `${RANGE_TAG}\n`, '', 'within the listed time'),
  after('daterange-removed', LONG_BREAK, `${LONG_TAG}\n`, '', 'from before the first segment'),
]

const REPORT = '#EXT-X-RENDITION-REPORT:URI="other.m3u8",LAST-MSN=14,LAST-PART=0\n'

function present(
  text: string,
  other: string,
  multivariant = MULTIVARIANT,
  role: PresentedPlaylist['role'] = 'video',
): readonly Finding[] {
  const parsed = parsePlaylist(multivariant) as MultivariantPlaylist
  const playlists: PresentedPlaylist[] = [
    { name: '720.m3u8', role: 'video', playlist: mediaOf(text) },
    { name: '360.m3u8', role, playlist: mediaOf(other) },
  ]
  return checkPresentation(parsed, playlists)
}

const differ = (rule: Vector['rule'], text: string, from: string, to: string, name?: string): Vector => ({
  ...{
    rule,
    found: () =>
      present(
        text,
        replaced(text, from, to),
        MULTIVARIANT.replace('VERSION:6', text === LL ? 'VERSION:9' : 'VERSION:6'),
      ),
  },
  ...(name === undefined ? {} : { name }),
})

const LL = LOW_LATENCY + REPORT
const UNDATED = LIVE.replaceAll(/#EXT-X-PROGRAM.*\n/g, '')

export const PRESENTATION_VECTORS: readonly Vector[] = [
  {
    rule: 'i-frames-kind',
    name: 'a variant',
    found: () => present(LIVE, replaced(LIVE, '#EXT-X-INDEP', '#EXT-X-I-FRAMES-ONLY\n#EXT-X-INDEP')),
  },
  { rule: 'i-frames-kind', name: 'an I-frame variant', found: () => present(LIVE, LIVE, MULTIVARIANT, 'i-frames') },
  differ('targets-differ', LIVE, 'DURATION:3', 'DURATION:4'),
  differ('discontinuities-differ', LIVE, 'SEQUENCE:7', 'SEQUENCE:8', 'with dates'),
  differ('discontinuities-differ', UNDATED, 'SEQUENCE:7', 'SEQUENCE:8', 'without dates'),
  differ('sequences-differ', LIVE, 'SEQUENCE:100', 'SEQUENCE:101'),
  differ('types-differ', LIVE, '#EXT-X-MEDIA-SEQUENCE', '#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-SEQUENCE'),
  { rule: 'dates-differ', found: () => present(LIVE, UNDATED) },
  differ('server-control-differs', LL, 'HOLD-BACK=6.0', 'HOLD-BACK=7.0'),
  differ('dateranges-differ', BREAK, `${RANGE_TAG}\n`, '', 'one has none'),
  differ('dateranges-differ', BREAK, 'ID="b"', 'ID="c"', 'another ID'),
  differ('dateranges-differ', BREAK, ',SCTE35-OUT=0xFC30', '', 'an attribute is missing'),
  {
    rule: 'dateranges-differ',
    name: 'another value, in another version',
    found: () => present(BREAK, replaced(BREAK, '0xFC30', '0xFC31') + NEW),
  },
  differ('versions-differ', LIVE, 'VERSION:6', 'VERSION:5'),
  { rule: 'report-missing', found: () => present(LOW_LATENCY, LL, MULTIVARIANT.replace('VERSION:6', 'VERSION:9')) },
  {
    rule: 'independent-missing',
    found: () => {
      const text = replaced(MULTIVARIANT, '#EXT-X-INDEPENDENT-SEGMENTS\n', '')
      return present(LIVE, replaced(LIVE, '#EXT-X-INDEPENDENT-SEGMENTS\n', ''), text)
    },
  },
]

/** Presentations without a broken rule. */
export function goodPresentations(): readonly Finding[] {
  const isolated = LIVE.replace('#EXT-X-INDEPENDENT-SEGMENTS\n', '')
  return [
    ...present(LIVE, LIVE),
    ...present(LIVE, isolated),
    ...present(LIVE, COUNTED),
    ...present(UNDATED, UNDATED),
    ...present(BREAK, BREAK),
    // Added between two requests.
    ...present(LIVE, BREAK + NEW),
    // Of the audio, for the video that is played with it.
    ...present(LIVE, BREAK, MULTIVARIANT, 'audio'),
    ...present(LIVE, I_FRAMES, MULTIVARIANT, 'i-frames'),
    ...present(LL, LL, MULTIVARIANT.replace('VERSION:6', 'VERSION:9')),
  ]
}
