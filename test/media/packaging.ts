// Random combinations of how access units are packed, of codecs, PIDs and tables, each from a seed.
import { readFileSync } from 'node:fs'
import { breakCrc, buildTs, withoutPids } from '@millrace/engine/testing'
import type {
  AudioPlan,
  CodedPicture,
  ProgramPlan,
  PsiPlan,
  TsPlan,
  VideoCodec,
  VideoPacking,
  VideoPlan,
} from '@millrace/engine/testing'
import { seeded } from '../fuzz/seeded.js'
import { codedPictures } from '../oracle/coded-pictures.js'

export interface Combination {
  readonly name: string
  readonly bytes: Uint8Array
  readonly source: string
  /** Why nothing can be served; empty if something can. */
  readonly obstacle: string
  /** Bytes per push, and pushes per flush. */
  readonly piece: number
  readonly flushEvery: number
  /** Which of the random access points is joined: 0 for the first, towards 1 for the last. */
  readonly join: number
}

export interface Source {
  readonly name: string
  readonly video: VideoPlan
  /** Of key pictures. */
  readonly pictures: readonly CodedPicture[]
}

/** The stream flows, but has no random access point. */
export const NO_KEY_FRAME = 'no key frame'

const FIXTURES = new URL('../../fixtures/', import.meta.url)
const DURATION_S = 3
/** Announced, and never sent. */
const SILENT_PID = 0x1a0
const RADIO: ProgramPlan = { number: 2, pmtPid: 0x1a1, video: false, audio: { pid: 0x1a2 } }

/** Pictures that ffmpeg decodes. */
export function listSources(): readonly Source[] {
  return [
    builtSource('H.264', { codec: 'h264', gopFrames: 19, bitrate: 300_000 }),
    builtSource('H.264 with B pictures', { codec: 'h264', gopFrames: 12, bFrames: 2 }),
    builtSource('MPEG-2', { codec: 'mpeg2', gopFrames: 12, bFrames: 2 }),
    clipSource('h264-open-gop.ts', 'h264', 0x1b),
    clipSource('h264-intra-refresh.ts', 'h264', 0x1b),
    clipSource('h265-aac.ts', 'h265', 0x24),
    clipSource('mpeg2-mp2.ts', 'mpeg2', 0x02),
  ]
}

export function combine(seed: number, sources: readonly Source[]): Combination {
  const random = seeded(seed * 7919 + 1)
  const pick = <T>(...list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const source = pick(...sources)
  const packing = pickPacking(pick)
  const tables = pick('usual', 'usual', 'away', 'late', 'two packets', 'wrong CRC', 'no PAT')
  const more = pick('', '', 'silent PID', 'radio first')
  const audio = pick<AudioPlan | false>(false, {}, { framesPerPes: 5 })
  const silent = more === 'silent PID' ? [{ pid: SILENT_PID }] : []
  const program: ProgramPlan = {
    number: 1,
    video: {
      ...source.video,
      pid: pick(0x100, 0x20, 0x31, 0x1ffe, 0x11, 0x14),
      packing,
      randomAccessIndicator: pick(true, false),
    },
    audio: [...(audio === false ? [] : [audio]), ...silent],
    pmtPid: pick(0x1000, 0x40, 0x1ff0, 0x10, 0x12, 0x13),
    ...(tables === 'two packets' ? { pmtPackets: 2 } : {}),
    ...(pick(true, false, false) ? { pcr: { pid: 0x1f0 } } : {}),
  }
  const plan: TsPlan = {
    durationS: DURATION_S,
    programs: more === 'radio first' ? [RADIO, program] : [program],
    psi: psiOf(tables),
    interleave: pick(true, true, false),
    ...(pick(true, false) ? { nullEvery: 7 } : {}),
  }
  const built = withoutPids(buildTs(plan).bytes, SILENT_PID)
  return {
    name: `${seed}: ${source.name}, ${JSON.stringify(packing)}, tables ${tables}, ${more}`,
    bytes: withFault(built, tables),
    source: source.name,
    obstacle: obstacleOf(tables, packing),
    piece: pick(188, 7 * 188, 1000, 20 * 188, 65_536),
    flushEvery: pick(1, 3, Infinity),
    join: random(),
  }
}

function pickPacking(pick: <T>(...list: readonly T[]) => T): VideoPacking {
  const shape = pick<VideoPacking>(
    {},
    { pictures: 2 },
    { pictures: 3 },
    { pesBytes: 700 },
    { pesBytes: 5000 },
    { setsApart: true },
    { setsApart: true, pictures: 2 },
  )
  return {
    ...shape,
    delimiters: pick(true, true, false),
    setsOnce: pick(true, false, false),
    shortStartCodes: pick(true, false),
    indicateAll: pick(true, false, false),
  }
}

function obstacleOf(tables: string, { setsOnce }: VideoPacking): string {
  if (tables === 'no PAT') return 'no PAT'
  // Tables with a wrong CRC are believed after some time. Parameter sets that were sent before, and never again, cannot
  // be known.
  const isLate = tables === 'late' || tables === 'wrong CRC'
  return isLate && setsOnce === true ? NO_KEY_FRAME : ''
}

function psiOf(tables: string): PsiPlan {
  if (tables === 'away') return { beforeKeyframes: false, intervalMs: 170 }
  if (tables === 'late') return { beforeKeyframes: false, phaseMs: 700 }
  return tables === 'two packets' ? { gapMs: 5 } : {}
}

function withFault(bytes: Uint8Array, tables: string): Uint8Array {
  if (tables === 'wrong CRC') return breakCrc(bytes, { every: 1, skip: 0 }).bytes
  return tables === 'no PAT' ? withoutPids(bytes, 0) : bytes
}

function builtSource(name: string, video: VideoPlan & { readonly codec: VideoCodec }): Source {
  const { bytes } = buildTs({ durationS: DURATION_S, video: { ...video, pid: 0x100 }, audio: false })
  const streamType = video.codec === 'mpeg2' ? 0x02 : 0x1b
  return { name, video, pictures: codedPictures(bytes, 0x100, streamType) }
}

function clipSource(file: string, codec: VideoCodec, streamType: number): Source {
  const all = codedPictures(new Uint8Array(readFileSync(new URL(file, FIXTURES))), 0x100, streamType)
  const pictures = all.filter(({ dts90k }) => dts90k < DURATION_S * 90_000)
  const keyPicture = file.includes('refresh') ? 'refresh' : file.includes('open') ? 'recoveryPoint' : 'idr'
  return { name: file, video: { codec, pictures, keyPicture }, pictures }
}
