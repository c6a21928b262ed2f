// What a rendition is made of: names stand for sizes and rates; settings that are given win.
import type { FeedPlan } from './feed-plan.js'
import type { Hardware } from './hardware.js'
import { NATIVE, STEPS } from './ladder.js'
import type { Ladder, Step } from './ladder.js'
import { encoderOf, videoRateOf } from './rendition-defaults.js'
import type { RenditionSettings, TranscodeOptions } from './transcode-options.js'
import type { Tuning } from './tuning-arguments.js'

/** All that is needed to encode it. Rates are bits per second. */
export interface Rendition {
  readonly name: string
  readonly codec: 'h264' | 'h265' | 'copy'
  readonly encoder: string
  readonly width: number | undefined
  readonly height: number | undefined
  /** Most pictures per second. */
  readonly frameRate: number | undefined
  readonly videoRate: number | undefined
  readonly maxRate: number | undefined
  readonly bufferBits: number | undefined
  readonly profile: string | undefined
  readonly preset: string | undefined
  readonly tune: string | undefined
  readonly audioCodec: 'aac' | 'copy' | 'none'
  readonly audioRate: number
  readonly channels: number
  readonly hardware: Hardware | 'none'
  /** What the settings say. */
  readonly wanted: Hardware | 'auto' | 'none'
  readonly extraArgs: readonly string[]
}

const EDGE_BUFFER_BITS = 500_000

/** What an encoder is told unless the settings say something else. */
const EDGE: Tuning = { profile: 'baseline', tune: 'zerolatency' }
const NOTHING: Tuning = {}
const SOFTWARE: Readonly<Record<Rendition['codec'], Tuning>> = {
  h264: { profile: 'high', preset: 'veryfast' },
  h265: { preset: 'veryfast' },
  copy: NOTHING,
}

/** Names of the ports, in the order of the options. */
export function renditionNames(renditions: TranscodeOptions['renditions']): readonly string[] {
  return Array.isArray(renditions) ? renditions : Object.keys(renditions)
}

/**
 * Those that are encoded: all but the native one. `hardware`: where, instead of what the settings say. Without it, those for
 * which any will do (`auto`) are encoded in software.
 */
export function renditionsOf(
  { renditions, ladder }: Pick<TranscodeOptions, 'renditions' | 'ladder'>,
  hardware?: Hardware | 'none',
): readonly Rendition[] {
  return renditionNames(renditions)
    .filter((name) => name !== NATIVE)
    .map((name) => renditionOf(name, ladder, settingsOf(renditions, name), hardware))
}

/** It has something of these tracks: one without sound has nothing of a radio. */
export function carries({ audioCodec }: Rendition, { video, audio }: FeedPlan): boolean {
  return video !== undefined || (audioCodec !== 'none' && audio.length > 0)
}

function settingsOf(renditions: TranscodeOptions['renditions'], name: string): Partial<RenditionSettings> {
  return Array.isArray(renditions) ? {} : ((renditions as Readonly<Record<string, RenditionSettings>>)[name] ?? {})
}

function renditionOf(
  name: string,
  ladder: Ladder,
  given: Partial<RenditionSettings>,
  instead: Hardware | 'none' | undefined,
): Rendition {
  const { codec = 'h264', audioCodec = 'aac', channels = 2, extraArgs = [], hardware: asked = 'none' } = given
  const wanted = codec === 'copy' ? 'none' : asked
  const hardware = wanted === 'none' ? 'none' : (instead ?? (wanted === 'auto' ? 'none' : wanted))
  const known = STEPS[ladder][name]
  const isEdge = ladder === 'edge' && known !== undefined
  return {
    ...{ name, codec, audioCodec, channels, extraArgs, hardware, wanted },
    ...sizeOf(given, known),
    ...ratesOf(given, videoRateOf(name, given, ladder), { audioRate: known?.audioRate, isEdge }),
    ...tuningOf(given, { codec, hardware, isEdge }),
    encoder: given.encoder ?? encoderOf(codec, hardware),
  }
}

function sizeOf({ width, height, frameRate }: Partial<RenditionSettings>, known: Step | undefined) {
  return { width, height: height ?? (width === undefined ? known?.height : undefined), frameRate }
}

function ratesOf(
  given: Partial<RenditionSettings>,
  videoRate: number,
  { audioRate = 128_000, isEdge }: { readonly audioRate: number | undefined; readonly isEdge: boolean },
) {
  return {
    videoRate,
    maxRate: given.maxRate ?? (isEdge ? undefined : Math.round(videoRate * 1.25)),
    bufferBits: isEdge ? EDGE_BUFFER_BITS : Math.round(videoRate * 2),
    audioRate: given.audio ?? audioRate,
  }
}

/** What is given is for the encoder that is named: with `auto` that is the one in software. A profile is wanted of any. */
function tuningOf(
  given: Partial<RenditionSettings>,
  { codec, hardware, isEdge }: Pick<Rendition, 'codec' | 'hardware'> & { readonly isEdge: boolean },
) {
  if (given.hardware === 'auto' && hardware !== 'none')
    return { profile: given.profile, preset: undefined, tune: undefined }
  const isSoftware = hardware === 'none' && given.encoder === undefined
  const tuning = !isSoftware ? NOTHING : isEdge ? EDGE : SOFTWARE[codec]
  const { profile = tuning.profile, preset = tuning.preset, tune = tuning.tune } = given
  return { profile, preset, tune }
}
