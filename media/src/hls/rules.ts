// The rules of the checker, as one table: docs/hls-rules.md is generated from it. Sections are those of
// draft-pantos-hls-rfc8216bis-22, unless they name RFC 8216, Apple's authoring specification, or `players`: what a
// widespread player fails at, though no specification forbids it.

/** `must`: players may fail. `should`: a recommendation. `apple`: what Apple asks of services for its players. */
export type RuleClass = 'must' | 'should' | 'apple'

export interface Rule {
  readonly class: RuleClass
  readonly section: string
  readonly sentence: string
}

const APPLE = 'Apple HLS authoring specification'
const PLAYERS = 'players'

const must = (section: string, sentence: string): Rule => ({ class: 'must', section, sentence })
const should = (section: string, sentence: string): Rule => ({ class: 'should', section, sentence })
const apple = (sentence: string): Rule => ({ class: 'apple', section: APPLE, sentence })

const TEXT_RULES = {
  'text-encoding': must('4.1', 'A playlist is UTF-8 without byte order mark and without control characters.'),
  'text-size': should(PLAYERS, 'A playlist is small enough to be loaded at every reload.'),
  'first-line': must('4.4.1.1', 'The first line is #EXTM3U.'),
  'mixed-kinds': must('4.1', 'A playlist has tags of media playlists or of multivariant playlists, not both.'),
  'tag-repeated': must('4.4', 'A tag that describes the whole playlist appears once.'),
  'tag-value': must('4.2', 'The value of a tag has the form that its definition gives.'),
  'attribute-list': must(
    '4.2',
    'Attributes are NAME=value pairs, separated by commas, with quotes only around strings.',
  ),
  'attribute-repeated': must('4.2', 'An attribute appears once in a tag.'),
  'attribute-missing': must('4.4', 'A tag has the attributes that its definition requires.'),
  'attribute-value': must('4.2', 'The value of an attribute has the type that its definition gives.'),
  'head-tag-late': must('4.4.3.2', 'Sequence numbers stand in front of the first segment and the first DISCONTINUITY.'),
  'version-too-low': must('8', 'EXT-X-VERSION is at least what the tags of the playlist need.'),
  'version-too-high': should(
    '6.2.1',
    'EXT-X-VERSION is not above what the playlist needs (up to 7 is always accepted).',
  ),
  'version-late': should(
    PLAYERS,
    'EXT-X-VERSION stands directly behind #EXTM3U: AVPlayer refuses some tags before it.',
  ),
} as const

const MEDIA_RULES = {
  'target-missing': must('4.4.3.1', 'A media playlist has EXT-X-TARGETDURATION.'),
  'segment-too-long': must('4.4.3.1', 'The duration of a segment, rounded, is at most the target duration.'),
  'extinf-missing': must('4.4.4.1', 'Every segment has an EXTINF.'),
  'segment-uri-missing': must('4.4.4.1', 'An EXTINF is followed by the URI of its segment.'),
  'no-segments': should('6.2.1', 'A playlist lists at least one segment.'),
  'byterange-offset': must('4.4.4.2', 'A byte range without an offset follows a range of the same resource.'),
  'key-method': must('4.4.4.4', 'The METHOD of a key is one that the specification defines.'),
  'key-none': must('4.4.4.4', 'A key with METHOD=NONE has no other attributes, and every other key has a URI.'),
  'key-iv': must('4.4.4.4', 'The IV of a key has 128 bits.'),
  'map-iv': must('4.4.4.5', 'A key with METHOD=AES-128 that applies to an EXT-X-MAP has an IV.'),
  'i-frame-map-missing': should(
    PLAYERS,
    'A live I-frame playlist has an EXT-X-MAP: hls.js takes PAT and PMT from a segment that may be gone.',
  ),
  'date-overlap': must(
    '6.2.1',
    'A segment does not begin, by its program date, a second or more before the one in front of it ends.',
  ),
  'date-hole': should('6.2.1', 'Without a DISCONTINUITY the program dates of segments follow their durations.'),
  'date-after-discontinuity': should('6.2.1', 'A playlist with program dates has one at each DISCONTINUITY.'),
  'date-missing': apple('A live media playlist has EXT-X-PROGRAM-DATE-TIME.'),
  'first-is-gap': should(PLAYERS, 'The first segment is no GAP, unless the playlist is one of low latency.'),
  'daterange-duration': must(
    '4.4.5.1',
    'A date range has a START-DATE when first seen, ends after it, and its END-DATE fits its DURATION.',
  ),
  'daterange-end-on-next': must(
    '4.4.5.1',
    'A date range with END-ON-NEXT=YES has a CLASS, and neither DURATION nor END-DATE.',
  ),
  'daterange-conflict': must('4.4.5.1', 'Date ranges with the same ID have the same values for the same attributes.'),
  'daterange-no-date': must('4.4.5.1', 'A playlist with date ranges has at least one EXT-X-PROGRAM-DATE-TIME.'),
  'start-outside': should('4.4.2.2', 'EXT-X-START points into the playlist.'),
} as const

const LOW_LATENCY_RULES = {
  'part-inf-missing': must('4.4.3.7', 'A playlist with partial segments has EXT-X-PART-INF.'),
  'part-too-long': must('4.4.3.7', 'A partial segment is at most PART-TARGET long.'),
  'part-too-short': must(
    '4.4.4.9',
    'A partial segment is at least 85 % of PART-TARGET, unless it is independent, a gap, before a gap, or the last of its segment.',
  ),
  'part-of-gap': must('6.2.1', 'The partial segments of a GAP segment have GAP=YES.'),
  'parts-old': should('6.2.2', 'Partial segments are listed only within three target durations of the end.'),
  'part-hold-back-missing': must('4.4.3.8', 'A playlist with partial segments has PART-HOLD-BACK.'),
  'part-hold-back-low': must('4.4.3.8', 'PART-HOLD-BACK is at least twice PART-TARGET.'),
  'part-hold-back-short': should('4.4.3.8', 'PART-HOLD-BACK is at least three times PART-TARGET.'),
  'hold-back-low': must('4.4.3.8', 'HOLD-BACK is at least three times the target duration.'),
  'skip-until-low': must('4.4.3.8', 'CAN-SKIP-UNTIL is at least six times the target duration.'),
  'skip-dateranges': must('4.4.3.8', 'CAN-SKIP-DATERANGES comes with CAN-SKIP-UNTIL.'),
  'blocking-missing': must('B.1', 'A live playlist with partial segments offers blocking reloads.'),
  'hint-missing': should(
    PLAYERS,
    'A live playlist with partial segments has an EXT-X-PRELOAD-HINT: hls.js loops without.',
  ),
  'hint-repeated': should('6.2.6', 'There is at most one EXT-X-PRELOAD-HINT of each TYPE.'),
  'skip-early': must('4.4.5.2', 'The sequence numbers stand in front of EXT-X-SKIP.'),
  'report-missing': must('B.1', 'A low-latency playlist reports on every other rendition of its presentation.'),
} as const

const UPDATE_RULES = {
  'target-changed': must('6.2.1', 'The target duration of a playlist never changes.'),
  'part-target-changed': must('4.4.3.7', 'PART-TARGET never changes: Apple players stop when it does.'),
  'server-control-changed': must('6.2.1', 'EXT-X-SERVER-CONTROL never changes: Apple players stop when it does.'),
  'sequence-back': must('6.2.2', 'The media sequence never decreases.'),
  'segment-renumbered': must(
    '6.2.2',
    'The media sequence grows by one for every segment removed, in order, and by nothing else.',
  ),
  'segment-changed': must(
    '6.2.1',
    'A segment that is listed keeps its duration, its DISCONTINUITY, its GAP and its byte range.',
  ),
  'segment-key-changed': must('6.2.3', 'A segment that is listed keeps its key, its IV and its EXT-X-MAP.'),
  'segment-withdrawn': must('6.2.1', 'Segments at the end of a playlist are not removed again.'),
  'discontinuity-sequence-back': must('6.2.2', 'The discontinuity sequence never decreases.'),
  'discontinuity-sequence-missing': must(
    '6.2.2',
    'A playlist that removes segments and has a DISCONTINUITY has EXT-X-DISCONTINUITY-SEQUENCE.',
  ),
  'discontinuity-sequence-count': must(
    '6.2.2',
    'The discontinuity sequence grows by one for every DISCONTINUITY removed.',
  ),
  'live-too-short': must('6.2.2', 'No segment is removed if less than three target durations would be left.'),
  'update-late': must('6.2.1', 'A new segment is listed within 1.5 target durations of the one before it.'),
  'part-late': must('6.2.1', 'A new partial segment is listed within one PART-TARGET of the one before it.'),
  'ended-changed': must(
    '6.2.1',
    'A playlist with ENDLIST, or of type VOD, only loses segments at its head; ENDLIST stays.',
  ),
  'event-removed': must('6.2.2', 'A playlist with a type removes no segments.'),
  'daterange-changed': must('4.4.5.1', 'The attributes of a date range keep their values.'),
  'daterange-removed': must('6.2.1', 'A date range is listed as long as a segment of its time is.'),
} as const

const MULTIVARIANT_RULES = {
  'variant-uri-missing': must('4.4.6.2', 'EXT-X-STREAM-INF is followed by the URI of a media playlist.'),
  'no-variants': must('4.4.6.2', 'A multivariant playlist lists at least one variant.'),
  'group-missing': must('4.4.6.2', 'A variant names groups that an EXT-X-MEDIA of the same type defines.'),
  'group-names': must('4.4.6.1.1', 'The members of a group have different names, and at most one is the default.'),
  'group-sets': must('4.4.6.1.1', 'Groups of the same type have the same members, with the same attributes.'),
  'group-autoselect': should(
    '4.4.6.1.1',
    'Members of a group with AUTOSELECT=YES differ in language, characteristics or both.',
  ),
  'media-type': must('4.4.6.1', 'The TYPE of EXT-X-MEDIA is AUDIO, VIDEO, SUBTITLES or CLOSED-CAPTIONS.'),
  'media-uri': must('4.4.6.1', 'SUBTITLES have a URI; CLOSED-CAPTIONS have an INSTREAM-ID and no URI.'),
  'media-default': must('4.4.6.1', 'A rendition with DEFAULT=YES does not have AUTOSELECT=NO.'),
  'captions-none': must('4.4.6.2', 'If one variant says CLOSED-CAPTIONS=NONE, all do.'),
  'average-above-peak': must('4.4.6.2', 'AVERAGE-BANDWIDTH is at most BANDWIDTH.'),
  'session-data': must('4.4.6.4', 'EXT-X-SESSION-DATA has either a VALUE or a URI.'),
  'codecs-missing': should('4.4.6.2', 'Every variant has CODECS.'),
  'resolution-missing': should('4.4.6.2', 'Every variant with video has RESOLUTION.'),
  'frame-rate-missing': should('4.4.6.2', 'Every variant with video has FRAME-RATE.'),
  'average-missing': apple('Every variant has AVERAGE-BANDWIDTH.'),
  'captions-unsaid': apple('A variant with video names its closed captions, or says CLOSED-CAPTIONS=NONE.'),
  'language-missing': apple('Every rendition but those of video has a LANGUAGE.'),
  'i-frames-missing': apple('A presentation with video has I-frame playlists.'),
  'i-frame-attributes': apple('Every I-frame variant has CODECS and RESOLUTION.'),
  'single-bitrate': apple('A presentation with video has variants of several bit rates.'),
  'independent-missing': apple(
    'EXT-X-INDEPENDENT-SEGMENTS is in the multivariant playlist or in every video playlist.',
  ),
} as const

const PRESENTATION_RULES = {
  'i-frames-kind': must(
    '4.4.6.3',
    'EXT-X-I-FRAME-STREAM-INF names I-frame playlists, and EXT-X-STREAM-INF other playlists.',
  ),
  'targets-differ': must('6.2.4', 'All media playlists of a presentation have the same target duration.'),
  'discontinuities-differ': must(
    '6.2.4',
    'Matching segments have the same discontinuity sequence in all media playlists.',
  ),
  'sequences-differ': should(PLAYERS, 'Matching segments have the same media sequence in all media playlists.'),
  'types-differ': must('6.2.4', 'All media playlists of a presentation have the same EXT-X-PLAYLIST-TYPE.'),
  'dates-differ': must('6.2.4', 'All media playlists of a presentation have program dates, or none has.'),
  'dateranges-differ': must(
    '6.2.4',
    'All playlists with date ranges, and all video playlists unless audio or subtitles have them, have the same ones.',
  ),
  'server-control-differs': must('6.2.4', 'All media playlists of a presentation have the same EXT-X-SERVER-CONTROL.'),
  'versions-differ': should(PLAYERS, 'All playlists of a presentation have the same EXT-X-VERSION.'),
} as const

const RESPONSE_RULES = {
  'not-served': must('6.2.1', 'Every playlist that is named can be loaded.'),
  'content-type': must(
    '4',
    'A playlist is served as application/vnd.apple.mpegurl or audio/mpegurl, or its path ends in .m3u8.',
  ),
  'content-type-apple': apple('A playlist is served as application/vnd.apple.mpegurl.'),
  'not-zipped': should('6.2.1', 'Playlists are sent with gzip to those who accept it.'),
  'cached-too-long': should(PLAYERS, 'A live playlist may be cached for at most half its target duration.'),
  'segment-not-served': must('6.2.1', 'Every listed segment that is no GAP can be loaded at once.'),
  'key-not-served': must('6.2.3', 'The key of every listed segment can be loaded.'),
  'key-length': must('5', 'The key of METHOD=AES-128 is a file of 16 bytes.'),
  'map-not-served': must('4.4.4.5', 'Every EXT-X-MAP can be loaded.'),
  'byterange-short': must('4.4.4.2', 'The byte range of a segment lies inside its resource.'),
  'segment-no-length': should(PLAYERS, 'A segment is sent with its Content-Length: AVPlayer fails without.'),
  'segment-gone-early': must(
    '6.2.2',
    'A removed segment can be loaded for its duration and that of the longest playlist with it, from when it was first listed.',
  ),
  'no-tls': apple('Playlists and segments are served with TLS.'),
} as const

const SEGMENT_RULES = {
  'segment-decrypt': must(
    '4.4.4.4',
    'A segment with METHOD=AES-128 is whole blocks of 16 bytes, and its key and IV decrypt it up to its padding.',
  ),
  'map-tables': must('3.1.1', 'The EXT-X-MAP of transport stream segments has a PAT and a PMT.'),
  'ts-packets': must('3.1.1', 'A segment consists of whole transport stream packets, from its first byte to its last.'),
  'ts-tables-missing': must('3.1.1', 'A segment has a PAT and a PMT, or an EXT-X-MAP that has them.'),
  'ts-tables-late': should('3.1.1', 'A segment begins with its PAT and PMT.'),
  'ts-programs': must('3.1.1', 'A segment has one program.'),
  'ts-key-frame': must(
    '4.4.2.1',
    'With EXT-X-INDEPENDENT-SEGMENTS every segment begins with a key frame, parameter sets in front.',
  ),
  'ts-continuity': must(
    '3',
    'Continuity counters continue within a segment and over segments without a DISCONTINUITY.',
  ),
  'ts-timestamps': must('3', 'Timestamps continue over segments without a DISCONTINUITY.'),
  'ts-tracks': must('6.2.1', 'Tracks and codecs change only at a DISCONTINUITY.'),
  'ts-duration': should('4.4.4.1', 'The duration of a segment agrees with its timestamps within 0.1 s.'),
  'i-frame-picture': must('4.4.3.6', 'A segment of an I-frame playlist is one I-frame, parameter sets in front.'),
  'i-frame-range': must('4.4.3.6', 'The byte range of an I-frame does not contain the PAT and PMT of the EXT-X-MAP.'),
  'peak-above-bandwidth': should('4.4.6.2', 'The peak bit rate of a variant is at most 10 % above BANDWIDTH.'),
  'average-above-bandwidth': apple('The average bit rate of a variant is at most 10 % above AVERAGE-BANDWIDTH.'),
  'bandwidth-too-high': apple(
    'The bit rates that are declared of a presentation that has ended are at most 10 % above those of its segments.',
  ),
  'codecs-incomplete': must('6.2.4', 'CODECS names every format in the segments of a variant.'),
  'codecs-absent': should(PLAYERS, 'CODECS names video only where there is some: hls.js waits for it.'),
  'codecs-differ': should('4.4.6.2', 'CODECS names the profile and level that the headers of the segments have.'),
  'resolution-differs': should('4.4.6.2', 'RESOLUTION is that of the video in the segments.'),
  'captions-hidden': apple('Where the video has closed captions, its variant does not say CLOSED-CAPTIONS=NONE.'),
  'format-apple': apple('Transport streams have H.264 video, and AAC, AC-3, Enhanced AC-3 or MP3 audio.'),
  'format-browsers': should(PLAYERS, 'Browsers play the formats of a transport stream: at least some with hls.js do.'),
} as const

export type RuleId =
  | keyof typeof TEXT_RULES
  | keyof typeof MEDIA_RULES
  | keyof typeof LOW_LATENCY_RULES
  | keyof typeof UPDATE_RULES
  | keyof typeof MULTIVARIANT_RULES
  | keyof typeof PRESENTATION_RULES
  | keyof typeof RESPONSE_RULES
  | keyof typeof SEGMENT_RULES

/** By what they are about, in the order of the documentation. */
export const RULE_GROUPS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  'The text of a playlist': TEXT_RULES,
  'Media playlists': MEDIA_RULES,
  'Low latency': LOW_LATENCY_RULES,
  'Between two versions of a media playlist': UPDATE_RULES,
  'Multivariant playlists': MULTIVARIANT_RULES,
  'Between the media playlists of a presentation': PRESENTATION_RULES,
  Responses: RESPONSE_RULES,
  'Segments (MPEG transport streams)': SEGMENT_RULES,
}

export const RULES: Readonly<Record<RuleId, Rule>> = {
  ...TEXT_RULES,
  ...MEDIA_RULES,
  ...LOW_LATENCY_RULES,
  ...UPDATE_RULES,
  ...MULTIVARIANT_RULES,
  ...PRESENTATION_RULES,
  ...RESPONSE_RULES,
  ...SEGMENT_RULES,
}
