// Vectors of the rules that one text can break.
import { checkPlaylist } from './check-playlist.js'
import { I_FRAMES, LIVE, LOW_LATENCY, MULTIVARIANT, RANGES, VOD } from './good-playlists.test.kit.js'
import { MAX_PLAYLIST_LINES, parsePlaylist } from './parse-playlist.js'
import type { RuleId } from './rules.js'
import { replaced } from './vector.test.kit.js'
import type { Vector } from './vector.test.kit.js'

const DATE = '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:00.000Z\n'
const NOT_FIRST_DATE = replaced(LIVE, '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n', '')
const SECOND_GROUP =
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="more",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="en6.m3u8"\n'
const CAPTIONS = '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",LANGUAGE="en"'

/** Without PART-INF the first segment must be no gap. */
const GAP_IS_SECOND = '#EXT-X-MEDIA-SEQUENCE:9\n#EXTINF:2.0,\ns9.ts\n'

type Row = readonly [rule: RuleId, text: string, from: string, to: string, name?: string]

const ROWS: readonly Row[] = [
  ['text-encoding', LIVE, '#EXTM3U', '\uFEFF#EXTM3U', 'a byte order mark'],
  ['text-encoding', LIVE, 's101.ts', 's1\u000001.ts', 'a control character'],
  ['text-size', LIVE, 's105.ts\n', `s105.ts\n${'\n'.repeat(MAX_PLAYLIST_LINES)}`],
  ['first-line', LIVE, '#EXTM3U\n', '#EXTM3U8\n'],
  ['mixed-kinds', LIVE, 's100.ts\n', 's100.ts\n#EXT-X-SESSION-DATA:DATA-ID="a",VALUE="b"\n'],
  ['tag-repeated', LIVE, '#EXT-X-TARGETDURATION:3\n', '#EXT-X-TARGETDURATION:3\n#EXT-X-TARGETDURATION:3\n'],
  ['tag-value', LIVE, '#EXT-X-MEDIA-SEQUENCE:100', '#EXT-X-MEDIA-SEQUENCE:0x64', 'a number'],
  ['tag-value', LIVE, '#EXTINF:2.0,', '#EXTINF:two,', 'a duration'],
  ['tag-value', LIVE, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00', 'a date without a zone'],
  ['tag-value', LIVE, '#EXT-X-GAP', '#EXT-X-GAP:1', 'a value too many'],
  ['tag-value', VOD, '#EXT-X-BYTERANGE:1000\n', '#EXT-X-BYTERANGE:1000@\n', 'a byte range'],
  ['tag-value', VOD, 'TYPE:VOD', 'TYPE:LIVE', 'a type'],
  ['attribute-list', VOD, 'PRECISE=YES', 'PRECISE=YES,'],
  ['attribute-repeated', VOD, 'METHOD=AES-128,', 'METHOD=AES-128,METHOD=AES-128,'],
  ['attribute-missing', MULTIVARIANT, 'BANDWIDTH=800000,AVERAGE', 'AVERAGE'],
  ['attribute-value', MULTIVARIANT, 'RESOLUTION=640x360', 'RESOLUTION=640', 'a resolution'],
  ['attribute-value', MULTIVARIANT, 'GROUP-ID="text"', 'GROUP-ID=text', 'a string without quotes'],
  ['head-tag-late', RANGES, 'a.ts', 'a.ts\n#EXT-X-MEDIA-SEQUENCE:3'],
  ['version-too-low', LIVE, 'VERSION:6', 'VERSION:2', 'a fraction'],
  ['version-too-low', VOD, '#EXT-X-VERSION:6\n', '', 'none'],
  ['version-too-high', LIVE, 'VERSION:6', 'VERSION:8'],
  ['version-late', LIVE, '#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:3', '#EXT-X-TARGETDURATION:3\n#EXT-X-VERSION:6'],
  ['target-missing', LIVE, '#EXT-X-TARGETDURATION:3\n', ''],
  ['segment-too-long', LIVE, '#EXTINF:3.0,\ns105', '#EXTINF:3.5,\ns105'],
  ['extinf-missing', LIVE, '#EXTINF:2.0,\n', ''],
  ['segment-uri-missing', LIVE, 's105.ts\n', '', 'at the end'],
  ['segment-uri-missing', LIVE, 's100.ts\n', '', 'two in a row'],
  ['no-segments', '#EXTM3U\n#EXT-X-TARGETDURATION:3\n', '', ''],
  ['byterange-offset', VOD, '1000@0', '1000'],
  ['key-none', VOD, 'METHOD=AES-128', 'METHOD=NONE', 'with attributes'],
  ['key-none', VOD, ',URI="key"', '', 'without a URI'],
  ['key-iv', VOD, '0x0000', '0x000000'],
  ['key-method', VOD, 'METHOD=AES-128', 'METHOD=AES-129'],
  ['map-iv', I_FRAMES, '#EXT-X-MAP:URI="init.ts"', '#EXT-X-KEY:METHOD=AES-128,URI="1.key"\n#EXT-X-MAP:URI="init.ts"'],
  ['i-frame-map-missing', I_FRAMES, '#EXT-X-MAP:URI="init.ts"\n', ''],
  ['date-overlap', LIVE, '2026-01-01T00:01:00.000Z', '2026-01-01T00:00:03.000Z'],
  ['date-hole', LIVE, '#EXTINF:2.5', '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z\n#EXTINF:2.5'],
  ['date-after-discontinuity', LIVE, DATE, ''],
  ['date-missing', NOT_FIRST_DATE, `#EXT-X-DISCONTINUITY\n${DATE}`, ''],
  ['first-is-gap', LIVE, '#EXTINF:2.0', '#EXT-X-GAP\n#EXTINF:2.0'],
  ['daterange-duration', RANGES, 'START-DATE="2026-01-01T00:00:20Z",', '', 'no start'],
  ['daterange-duration', RANGES, 'DURATION=10', 'DURATION=11', 'two ends'],
  ['daterange-duration', RANGES, 'END-DATE="2026-01-01T00:00:10Z",DURATION=10', 'END-DATE="2025-01-01T00:00:10Z"'],
  ['daterange-end-on-next', RANGES, 'END-ON-NEXT=YES', 'END-ON-NEXT=YES,DURATION=3'],
  ['daterange-conflict', RANGES, 'X-COM-EXAMPLE="more"', 'CLASS="film"'],
  ['daterange-no-date', `${RANGES}#EXT-X-ENDLIST\n`, '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00+01:00\n', ''],
  ['start-outside', VOD, 'TIME-OFFSET=1.5', 'TIME-OFFSET=-8.5'],
  ['part-inf-missing', LOW_LATENCY, '#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-MEDIA-SEQUENCE:10\n', GAP_IS_SECOND],
  ['part-too-long', LOW_LATENCY, 'DURATION=0.45', 'DURATION=0.55'],
  ['part-too-short', LOW_LATENCY, 'DURATION=0.45', 'DURATION=0.40'],
  ['part-of-gap', LOW_LATENCY, '#EXTINF:2.0,\ns14.ts', '#EXT-X-GAP\n#EXTINF:2.0,\ns14.ts'],
  ['parts-old', LOW_LATENCY, '#EXTINF:2.0,\ns11.ts', '#EXT-X-PART:DURATION=0.5,URI="s11.0.ts"\n#EXTINF:2.0,\ns11.ts'],
  ['part-hold-back-missing', LOW_LATENCY, 'PART-HOLD-BACK=1.5,', ''],
  ['part-hold-back-low', LOW_LATENCY, 'PART-HOLD-BACK=1.5', 'PART-HOLD-BACK=0.9'],
  ['part-hold-back-short', LOW_LATENCY, 'PART-HOLD-BACK=1.5', 'PART-HOLD-BACK=1.2'],
  ['hold-back-low', LOW_LATENCY, ',HOLD-BACK=6.0', ',HOLD-BACK=5.0'],
  ['skip-until-low', LOW_LATENCY, 'CAN-SKIP-UNTIL=12.0', 'CAN-SKIP-UNTIL=11.0'],
  ['skip-dateranges', LOW_LATENCY, 'CAN-SKIP-UNTIL=12.0,', ''],
  ['blocking-missing', LOW_LATENCY, 'CAN-BLOCK-RELOAD=YES,', ''],
  ['hint-missing', LOW_LATENCY, '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s15.1.ts"\n', ''],
  ['hint-repeated', LOW_LATENCY, '#EXT-X-PRELOAD', '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s15.2.ts"\n#EXT-X-PRELOAD'],
  ['skip-early', LOW_LATENCY, '#EXT-X-MEDIA', '#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-MEDIA'],
  ['variant-uri-missing', MULTIVARIANT, '#EXT-X-I-FRAME', '#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-I-FRAME'],
  ['no-variants', '#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID="a",VALUE="b"\n', '', ''],
  ['group-missing', MULTIVARIANT, 'AUDIO="sound"', 'AUDIO="music"'],
  ['group-names', MULTIVARIANT, 'NAME="Deutsch"', 'NAME="English"', 'the same name'],
  ['group-names', MULTIVARIANT, 'LANGUAGE="de",', 'LANGUAGE="de",DEFAULT=YES,', 'two defaults'],
  ['group-autoselect', MULTIVARIANT, 'LANGUAGE="de"', 'LANGUAGE="en"'],
  ['group-sets', MULTIVARIANT, '#EXT-X-MEDIA:TYPE=SUB', `${SECOND_GROUP}#EXT-X-MEDIA:TYPE=SUB`],
  [
    'media-type',
    MULTIVARIANT,
    '#EXT-X-MEDIA:TYPE=AUDIO',
    '#EXT-X-MEDIA:TYPE=SMELL,GROUP-ID="s",NAME="S",LANGUAGE="en"\n#EXT-X-MEDIA:TYPE=AUDIO',
  ],
  ['media-uri', MULTIVARIANT, ',URI="text.m3u8"', '', 'subtitles'],
  ['media-uri', MULTIVARIANT, '#EXT-X-MEDIA:TYPE=SUB', `${CAPTIONS}\n#EXT-X-MEDIA:TYPE=SUB`, 'captions'],
  ['media-default', MULTIVARIANT, 'DEFAULT=YES,AUTOSELECT=YES', 'DEFAULT=YES,AUTOSELECT=NO'],
  ['captions-none', MULTIVARIANT, 'CLOSED-CAPTIONS=NONE\n360', `CLOSED-CAPTIONS="cc"\n360`, 'a group'],
  ['average-above-peak', MULTIVARIANT, 'AVERAGE-BANDWIDTH=600000', 'AVERAGE-BANDWIDTH=900000'],
  ['session-data', MULTIVARIANT, ',VALUE="Title"', ''],
  ['codecs-missing', MULTIVARIANT, 'CODECS="avc1.64001e,mp4a.40.2",', ''],
  ['resolution-missing', MULTIVARIANT, 'RESOLUTION=640x360,', ''],
  ['frame-rate-missing', MULTIVARIANT, 'FRAME-RATE=25.000,', ''],
  ['average-missing', MULTIVARIANT, 'AVERAGE-BANDWIDTH=600000,', ''],
  ['captions-unsaid', MULTIVARIANT.replaceAll(',CLOSED-CAPTIONS=NONE', ''), '', ''],
  ['language-missing', MULTIVARIANT, 'LANGUAGE="de",', ''],
  ['i-frames-missing', MULTIVARIANT, '#EXT-X-I-FRAME-STREAM-INF', '#EXT-X-OTHER'],
  ['i-frame-attributes', MULTIVARIANT, ',RESOLUTION=1280x720,URI', ',URI'],
  [
    'single-bitrate',
    MULTIVARIANT,
    'BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000',
    'BANDWIDTH=800000,AVERAGE-BANDWIDTH=600000',
  ],
]

export const TEXT_VECTORS: readonly Vector[] = ROWS.map(([rule, text, from, to, name]) => ({
  rule,
  ...(name === undefined ? {} : { name }),
  found: () => checkPlaylist(parsePlaylist(withCaptions(replaced(text, from, to)))),
}))

/** Where a variant names the group `cc`, it exists. */
function withCaptions(text: string): string {
  if (!text.includes('CLOSED-CAPTIONS="cc"')) return text
  return text.replace('#EXT-X-MEDIA', `${CAPTIONS},INSTREAM-ID="CC1"\n#EXT-X-MEDIA`)
}
