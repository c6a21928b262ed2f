// Vectors of the rules about responses, and about segments: hand-made transport streams.
import { AUDIO_PID, joined, packetOf, pesOf, PMT_PID, tablesOf, VIDEO_PID } from '../mpegts/packets.test.kit.js'
import { BitField } from '../formats/bit-field.js'
import type { PmtStream } from '../mpegts/pmt.js'
import { packetise, renderPat, renderPmt } from '../mpegts/render-psi.js'
import { BitrateWatch, checkBitrates } from './bitrate-watch.js'
import { checkPlaylistResponse, checkSegmentResponse, checkTls } from './check-response.js'
import type { PlaylistResponse } from './check-response.js'
import type { Finding } from './finding.js'
import { MULTIVARIANT } from './good-playlists.test.kit.js'
import { parsePlaylist } from './parse-playlist.js'
import type { MultivariantPlaylist, Segment } from './playlist.js'
import { checkInitSection, SegmentWatch } from './segment-watch.js'
import type { SegmentContext } from './segment-watch.js'
import type { Vector } from './vector.test.kit.js'

/** Annex B: parameter sets, then an IDR slice, or one that is none. */
const SETS = [0, 0, 0, 1, 0x67, 77, 0, 1, 0xac, 0, 0, 1, 0x68, 0xce, 0, 0, 1]
const IDR = [...SETS, 0x65, 0x88, 0x80, 0, 0, 1]
const NOT_IDR = [...SETS, 0x41, 0x9a, 0x80, 0, 0, 1]

/** An SPS of H.264 Baseline, level 3, 320 x 240; SEI with a command that begins captions. */
const SMALL_SPS = [
  0,
  0,
  1,
  0x67,
  ...new BitField([0x42c01e, 24]).ue(0, 0, 2, 1).add([0, 1]).ue(19, 14).add([0b11001, 5]).bytes,
]
const SMALL = [...SMALL_SPS, 0, 0, 1, 0x68, 0xce, 0, 0, 1, 0x65, 0x88, 0x80, 0, 0, 1]
const CC_DATA = [0xb5, 0, 0x31, 0x47, 0x41, 0x39, 0x34, 3, 0xc1, 0xff, 0xfc, 0x94, 0x20, 0xff]
const CAPTIONED = [
  ...SETS.slice(0, -3),
  0,
  0,
  1,
  6,
  4,
  CC_DATA.length,
  ...CC_DATA,
  0x80,
  0,
  0,
  1,
  0x65,
  0x88,
  0x80,
  0,
  0,
  1,
]
const LAYER_2 = { pid: AUDIO_PID, streamType: 0x03, descriptors: new Uint8Array(0) }

interface Plan {
  readonly seconds?: number
  readonly picture?: readonly number[]
  readonly counter?: number
  readonly hasVideo?: boolean
}

/** Five packets, whose counters begin with `counter`: tables, a picture, a frame of audio. */
function segmentOf({ seconds = 0, picture = IDR, counter = 0, hasVideo = true }: Plan = {}): Uint8Array {
  const pts = Math.round(seconds * 90_000)
  const video = [
    packetOf({ pid: VIDEO_PID, counter, unitStart: true, payload: pesOf(0xe0, pts, 0, picture) }),
    packetOf({ pid: VIDEO_PID, counter: counter + 1 }),
  ]
  const audio = packetOf({ pid: AUDIO_PID, counter, unitStart: true, payload: pesOf(0xc0, pts, 0, [0xff, 0xf1]) })
  return joined(tablesOf(counter, hasVideo), ...(hasVideo ? video : []), audio)
}

/** The one that follows `segmentOf()` when that is two seconds long. */
function nextOf(plan: Plan = {}): Uint8Array {
  const bytes = segmentOf({ seconds: 2, counter: 1, ...plan })
  // The second video packet of the first segment had the counter 1.
  for (let at = 0; at < bytes.length; at += 188) {
    const pid = ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!
    if (pid === VIDEO_PID) bytes[at + 3] = (bytes[at + 3]! & 0xf0) | ((bytes[at + 3]! + 1) & 15)
  }
  return bytes
}

const CONTEXT: SegmentContext = { areIndependent: true, isIFramesOnly: false, codecs: 'avc1.64001f,mp4a.40.2' }

const SMALL_CONTEXT: SegmentContext = { ...CONTEXT, codecs: 'avc1.42C01E,mp4a.40.2' }

function segment(sequence: number, more: Partial<Segment> = {}): Segment {
  return {
    ...{ line: 1, uri: `s${sequence}.ts`, seconds: 2, sequence, discontinuitySequence: 0, isDiscontinuous: false },
    ...{ isGap: false, byteRange: undefined, key: undefined, map: undefined, dateMs: undefined, parts: [] },
    ...more,
  }
}

function pushAll(
  segments: readonly (readonly [Segment, Uint8Array])[],
  context: SegmentContext = CONTEXT,
): readonly Finding[] {
  const watch = new SegmentWatch()
  return segments.flatMap(([one, bytes]) => watch.push(one, bytes, context))
}

const MAP = { line: 1, uri: 'init.ts', byteRange: undefined, key: undefined }

/** A segment of an I-frame playlist. */
function iFrame(bytes: Uint8Array, init?: Uint8Array): readonly Finding[] {
  const byteRange = { length: bytes.length, offset: 376 }
  return pushAll([[segment(1, { byteRange, map: MAP }), bytes]], { ...CONTEXT, isIFramesOnly: true, init })
}

const one = (bytes: Uint8Array, context = CONTEXT) => pushAll([[segment(1), bytes]], context)
const two = (bytes: Uint8Array, context = CONTEXT) =>
  pushAll(
    [
      [segment(1), segmentOf()],
      [segment(2), bytes],
    ],
    context,
  )

/** Packets without payload in front of each track: the counters that they announce come next. */
function announced(counter: number, flags: number): Uint8Array {
  const bytes = segmentOf({ seconds: 2, counter: 1 })
  const tracks = bytes.subarray(376)
  for (let at = 0; at < tracks.length; at += 188) {
    tracks[at + 3] = (tracks[at + 3]! & 0xf0) | ((tracks[at + 3]! + counter) & 15)
  }
  const packets = [VIDEO_PID, AUDIO_PID].map((pid) => packetOf({ pid, counter, payload: false, field: [flags] }))
  return joined(bytes.subarray(0, 376), ...packets, tracks)
}

function twoPrograms(): Uint8Array {
  const programs = [1, 2].map((program) => ({ program, pmtPid: PMT_PID + program - 1 }))
  const head = { version: 0, current: true, transportStreamId: 1, sectionNumber: 0, lastSectionNumber: 0 }
  const pat = packetise(renderPat({ ...head, programs, networkPid: undefined }), 0, 0)
  return joined(pat, segmentOf().subarray(188))
}

function tablesLast(): Uint8Array {
  const bytes = segmentOf()
  return joined(bytes.subarray(376), bytes.subarray(0, 376))
}

function damaged(): Uint8Array {
  const bytes = segmentOf()
  const video = 3 * 188 + 3
  bytes[video] = (bytes[video]! & 0xf0) | 9
  return bytes
}

/** A segment of a program with other tracks. */
function segmentWith(streams: readonly PmtStream[]): Uint8Array {
  const head = { version: 0, current: true, program: 1, pcrPid: AUDIO_PID, descriptors: new Uint8Array(0) }
  const bytes = segmentOf({ hasVideo: false })
  return joined(bytes.subarray(0, 188), packetise(renderPmt({ ...head, streams }), PMT_PID, 0), bytes.subarray(376))
}

function bitrates(bytes: readonly number[], target = 2, isWhole = false): readonly Finding[] {
  const [variant] = (parsePlaylist(MULTIVARIANT) as MultivariantPlaylist).variants
  const watch = new BitrateWatch()
  for (const size of bytes) watch.push(size, 2, target)
  return variant === undefined ? [] : checkBitrates(variant, [watch], isWhole)
}

export const SEGMENT_VECTORS: readonly Vector[] = [
  { rule: 'ts-packets', name: 'cut short', found: () => one(segmentOf().subarray(0, -1)) },
  {
    rule: 'ts-packets',
    name: 'a sync byte lost',
    found: () => one(segmentOf().map((byte, at) => (at === 4 * 188 ? 0 : byte))),
  },
  { rule: 'ts-tables-missing', found: () => one(segmentOf().subarray(376)) },
  { rule: 'ts-tables-late', found: () => one(tablesLast()) },
  { rule: 'ts-programs', found: () => one(twoPrograms()) },
  { rule: 'ts-key-frame', found: () => one(segmentOf({ picture: NOT_IDR })) },
  {
    rule: 'ts-key-frame',
    name: 'no parameter sets',
    found: () => one(segmentOf({ picture: IDR.slice(SETS.length - 3) })),
  },
  { rule: 'ts-continuity', name: 'within', found: () => one(damaged()) },
  { rule: 'ts-continuity', name: 'over segments', found: () => two(segmentOf({ seconds: 2, counter: 5 })) },
  { rule: 'ts-continuity', name: 'packets that announce nothing', found: () => two(announced(5, 0)) },
  {
    rule: 'ts-continuity',
    name: 'a counter that does not follow the one announced',
    found: () => {
      const bytes = announced(5, 0x80)
      bytes[376 + 3] = 0x20 | 6
      return two(bytes)
    },
  },
  { rule: 'ts-timestamps', found: () => two(nextOf({ seconds: 60 })) },
  { rule: 'ts-tracks', found: () => two(nextOf({ hasVideo: false }), { ...CONTEXT, isPart: true }) },
  { rule: 'ts-duration', found: () => two(nextOf({ seconds: 2.2 })) },
  { rule: 'codecs-incomplete', found: () => one(segmentOf(), { ...CONTEXT, codecs: 'avc1.64001f' }) },
  { rule: 'codecs-absent', found: () => one(segmentOf({ hasVideo: false })) },
  {
    rule: 'codecs-differ',
    found: () => one(segmentOf({ picture: SMALL }), { ...CONTEXT, codecs: 'avc1.42c01f,mp4a.40.2' }),
  },
  {
    rule: 'resolution-differs',
    found: () => one(segmentOf({ picture: SMALL }), { ...SMALL_CONTEXT, resolution: '640x360' }),
  },
  { rule: 'captions-hidden', found: () => one(segmentOf({ picture: CAPTIONED }), { ...CONTEXT, hasNoCaptions: true }) },
  {
    rule: 'format-apple',
    name: 'H.265',
    found: () =>
      one(segmentWith([{ ...LAYER_2, streamType: 0x24 }]), {
        ...CONTEXT,
        areIndependent: false,
        codecs: 'hvc1.1.6.L93.B0',
      }),
  },
  {
    rule: 'format-browsers',
    name: 'Enhanced AC-3',
    found: () => one(segmentWith([{ ...LAYER_2, streamType: 0x87 }]), { ...CONTEXT, codecs: 'ec-3' }),
  },
  {
    rule: 'i-frame-range',
    found: () => {
      const byteRange = { length: 940, offset: 0 }
      return pushAll([[segment(1, { byteRange }), segmentOf()]], { ...CONTEXT, isIFramesOnly: true })
    },
  },
  {
    rule: 'i-frame-picture',
    name: 'another picture',
    found: () => iFrame(segmentOf({ picture: NOT_IDR }).subarray(376), tablesOf(0, true)),
  },
  {
    rule: 'i-frame-picture',
    name: 'many pictures',
    found: () => iFrame(joined(...[0, 1, 2].map((seconds) => segmentOf({ seconds }).subarray(376))), tablesOf(0, true)),
  },
  { rule: 'map-tables', found: () => checkInitSection(segmentOf().subarray(376)) },
  { rule: 'peak-above-bandwidth', found: () => bitrates([10_000, 560_000, 10_000, 10_000]) },
  {
    rule: 'bandwidth-too-high',
    found: () =>
      bitrates(
        Array.from({ length: 6 }, () => 300_000),
        2,
        true,
      ),
  },
  { rule: 'average-above-bandwidth', found: () => bitrates(Array.from({ length: 5 }, () => 490_000)) },
]

const GOOD: PlaylistResponse = {
  url: 'https://example.com/live/index.m3u8?a=b',
  status: 200,
  header: headers({
    'content-type': 'application/vnd.apple.mpegurl; charset=utf-8',
    'content-encoding': 'gzip',
    'cache-control': 'max-age=1',
  }),
  acceptedGzip: true,
  isUtf8: true,
  liveTargetSeconds: 2,
  textLength: 5000,
}

function headers(values: Readonly<Record<string, string>>): PlaylistResponse['header'] {
  return (name) => values[name]
}

const respond = (rule: Vector['rule'], more: Partial<PlaylistResponse>, name?: string): Vector => ({
  ...{ rule, found: () => checkPlaylistResponse({ ...GOOD, ...more }) },
  ...(name === undefined ? {} : { name }),
})
const GZIP = { 'content-encoding': 'gzip' }
const TYPE = { 'content-type': 'application/vnd.apple.mpegurl' }

export const RESPONSE_VECTORS: readonly Vector[] = [
  respond('content-type', {
    url: 'https://example.com/live',
    header: headers({ ...GZIP, 'content-type': 'text/plain' }),
  }),
  respond('content-type-apple', { header: headers({ ...GZIP, 'content-type': 'audio/mpegurl' }) }),
  respond('text-encoding', { isUtf8: false }, 'no UTF-8'),
  respond('not-zipped', { header: headers(TYPE) }),
  respond('cached-too-long', { header: headers({ ...GZIP, ...TYPE, 'cache-control': 'public, max-age=60' }) }),
  { rule: 'segment-not-served', found: () => checkSegmentResponse({ url: '', status: 404, header: headers({}) }) },
  { rule: 'segment-no-length', found: () => checkSegmentResponse({ url: '', status: 200, header: headers({}) }) },
  { rule: 'no-tls', found: () => checkTls('http://example.com/') },
]

/** Responses and segments without a broken rule. */
export function goodMedia(): readonly Finding[] {
  return [
    ...checkPlaylistResponse(GOOD),
    ...checkPlaylistResponse({ ...GOOD, textLength: 200, header: headers(TYPE) }),
    ...checkSegmentResponse({ url: '', status: 206, header: headers({ 'content-length': '5' }) }),
    ...checkTls('https://example.com/'),
    ...two(nextOf()),
    // discontinuity_indicator announces that counters jump.
    ...two(announced(5, 0x80)),
    // A DISCONTINUITY, or a segment that was not loaded, allows everything.
    ...pushAll([
      [segment(1), segmentOf()],
      [segment(2, { isDiscontinuous: true }), segmentOf({ seconds: 90, counter: 7 })],
    ]),
    ...pushAll([
      [segment(1), segmentOf()],
      [segment(3), segmentOf({ seconds: 90, counter: 7 })],
    ]),
    ...pushAll([[segment(1, { map: MAP }), segmentOf().subarray(376)]]),
    ...checkInitSection(tablesOf(0, true)),
    ...iFrame(segmentOf().subarray(376, 4 * 188), tablesOf(0, true)),
    ...iFrame(segmentOf().subarray(376)),
    ...bitrates(Array.from({ length: 5 }, () => 412_000)),
    // Too short for an average.
    ...bitrates([490_000, 490_000]),
    // Live, the peak is still to come.
    ...bitrates(Array.from({ length: 6 }, () => 300_000)),
    ...one(segmentOf({ picture: SMALL }), { ...SMALL_CONTEXT, resolution: '320x240', hasNoCaptions: true }),
    ...one(segmentOf({ picture: CAPTIONED })),
    // An audio rendition has a part of what CODECS names.
    ...one(segmentOf({ hasVideo: false }), { ...CONTEXT, isPart: true }),
    // A short segment is no peak by itself.
    ...bitrates([350_000, 500_000, 350_000], 4),
  ]
}
