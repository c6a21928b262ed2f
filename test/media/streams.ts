// The streams that framer, timeline and splices are tested with: clips made by ffmpeg, and streams that ffmpeg never
// writes.
import { readFileSync } from 'node:fs'
import { buildTs, PTS_WRAP } from '@millrace/engine/testing'
import type { BuiltTs, TsPlan } from '@millrace/engine/testing'

export interface TestStream {
  readonly name: string
  readonly bytes: Uint8Array
  /** The positions of everything in it, if it was built. */
  readonly built?: BuiltTs

  readonly hasVideo: boolean
}

export const PACKET = 188

const CLIPS = new URL('../../../pipelines/media/', import.meta.url)
const FIXTURES = new URL('../../fixtures/', import.meta.url)

const plans: readonly { readonly name: string; readonly plan: TsPlan }[] = [
  { name: 'H.264 and AAC, interleaved', plan: { durationS: 3 } },
  {
    name: 'PSI away from key pictures',
    plan: { durationS: 3, psi: { intervalMs: 370, phaseMs: 130, beforeKeyframes: false } },
  },
  { name: 'a PMT over two packets', plan: { durationS: 3, pmtPackets: 2, psi: { gapMs: 7 } } },
  { name: 'a PMT over two packets in one run', plan: { durationS: 3, pmtPackets: 2 } },
  { name: 'a PID for the PCR', plan: { durationS: 3, pcr: { pid: 0x1f0 } } },
  {
    name: 'GOPs shorter than the PSI interval',
    plan: { durationS: 3, video: { gopFrames: 5 }, psi: { intervalMs: 500, beforeKeyframes: false } },
  },
  { name: 'no random_access_indicator', plan: { durationS: 3, video: { randomAccessIndicator: false, bFrames: 2 } } },
  {
    name: 'open GOPs with recovery points',
    plan: {
      durationS: 3,
      video: { bFrames: 2, gopFrames: 12, keyPicture: 'recoveryPoint', randomAccessIndicator: false },
    },
  },
  { name: 'audio only', plan: { durationS: 4, video: false } },
  { name: 'a wrap in the middle', plan: { durationS: 4, startPts90k: PTS_WRAP - 180_000, video: { bFrames: 2 } } },
  { name: 'two programs', plan: { durationS: 3, programs: [{}, { video: { codec: 'mpeg2', gopFrames: 12 } }] } },
  { name: 'H.265', plan: { durationS: 3, video: { codec: 'h265', bFrames: 2, randomAccessIndicator: false } } },
  {
    name: 'MPEG-2 and layer II',
    plan: {
      durationS: 3,
      video: { codec: 'mpeg2', randomAccessIndicator: false },
      audio: { codec: 'mp2', language: 'deu' },
    },
  },
  { name: 'a constant rate', plan: { durationS: 3, muxRate: 1_500_000, psi: { cat: true, sdt: true } } },
  {
    name: 'cues and private data',
    plan: { durationS: 3, data: [{ kind: 'scte35' }, { kind: 'private', intervalMs: 700 }], nullEvery: 9 },
  },
  {
    name: 'bounded video PES',
    plan: { durationS: 3, video: { boundedPes: true, bFrames: 2 }, audio: [{}, { framesPerPes: 5 }] },
  },
]

/** Streams made by the TS builder. */
export function builtStreams(): readonly (TestStream & { readonly built: BuiltTs })[] {
  return plans.map(({ name, plan }) => {
    const stream = buildTs(plan)
    return { name, bytes: stream.bytes, built: stream, hasVideo: plan.video !== false }
  })
}

/** Clips made by ffmpeg. */
export function clips(): readonly TestStream[] {
  return [
    { name: 'testcard.ts', bytes: read(new URL('testcard.ts', CLIPS)), hasVideo: true },
    { name: 'h264-open-gop.ts', bytes: read(new URL('h264-open-gop.ts', FIXTURES)), hasVideo: true },
    { name: 'h265-aac.ts', bytes: read(new URL('h265-aac.ts', FIXTURES)), hasVideo: true },
    { name: 'mpeg2-mp2.ts', bytes: read(new URL('mpeg2-mp2.ts', FIXTURES)), hasVideo: true },
    { name: 'aac.ts', bytes: read(new URL('aac.ts', FIXTURES)), hasVideo: false },
  ]
}

export function allStreams(): readonly TestStream[] {
  return [...clips(), ...builtStreams()]
}

function read(url: URL): Uint8Array {
  return new Uint8Array(readFileSync(url))
}
