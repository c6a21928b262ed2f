// Who plays which codecs in transport stream segments: players of Apple (AVPlayer, Safari), by Apple's authoring
// specification, which wants H.265 in fragmented MP4; and hls.js in browsers, by its demuxer and by what browsers decode.
// docs/hls-rules.md has the table.

/** `some`: where the device has a decoder. */
type Played = 'yes' | 'some' | 'no'

export interface TsPlayers {
  readonly name: string
  readonly apple: Played
  readonly browsers: Played
}

const players = (name: string, apple: Played, browsers: Played): TsPlayers => ({ name, apple, browsers })

/** By codecs as tracks call them. MPEG audio is told apart by its layer. */
export const TS_PLAYERS: Readonly<Record<string, TsPlayers>> = {
  h264: players('H.264', 'yes', 'yes'),
  h265: players('H.265', 'no', 'some'),
  mpeg2video: players('MPEG-2 video', 'no', 'no'),
  mpeg1video: players('MPEG-1 video', 'no', 'no'),
  aac: players('AAC in ADTS, HE-AAC too', 'yes', 'yes'),
  'aac-latm': players('AAC in LATM', 'no', 'no'),
  mp3: players('MPEG audio layer III', 'yes', 'yes'),
  mp2: players('MPEG audio layer II', 'no', 'no'),
  ac3: players('AC-3', 'yes', 'some'),
  eac3: players('Enhanced AC-3', 'yes', 'no'),
  opus: players('Opus', 'no', 'no'),
}
const LAYER_3 = 'mp4a.40.34'

/** `name`: of RFC 6381, if it is known. Codecs that are not in the table are played by neither. */
export function tsPlayersOf(codec: string, name?: string): TsPlayers {
  const key = codec === 'mp2' && name === LAYER_3 ? 'mp3' : codec
  return TS_PLAYERS[key] ?? players(codec, 'no', 'no')
}

/** 2: everyone plays it, 0: nobody does. */
export function playedRank({ apple, browsers }: TsPlayers): number {
  if (apple === 'yes' && browsers === 'yes') return 2
  return apple === 'no' && browsers === 'no' ? 0 : 1
}
