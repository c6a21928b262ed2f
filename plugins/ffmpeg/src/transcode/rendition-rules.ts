// Settings of a rendition that contradict others, or would do nothing beside them.
import type { Hardware } from './hardware.js'
import { NATIVE } from './ladder.js'
import type { Ladder } from './ladder.js'
import { faultOfProfile } from './pixel-format.js'
import { encoderOf, videoRateOf } from './rendition-defaults.js'

export interface SettingFault {
  readonly key: string
  /** `must ...`. */
  readonly message: string
}

/** As the options give it; what is not looked at is left out. */
export interface GivenSettings {
  readonly codec?: 'h264' | 'h265' | 'copy' | undefined
  readonly encoder?: string | undefined
  readonly hardware?: Hardware | 'auto' | 'none' | undefined
  readonly profile?: string | undefined
  readonly height?: number | undefined
  readonly video?: number | undefined
  readonly maxRate?: number | undefined
  readonly audioCodec?: 'aac' | 'copy' | 'none' | undefined
}

const OF_SIZE = ['height', 'width', 'frameRate']
const OF_PICTURES = [...OF_SIZE, 'video', 'maxRate', 'encoder', 'profile', 'preset', 'tune', 'hardware']
const OF_SOUND = ['audio', 'channels']

const FAMILIES = { h264: /264/, h265: /265|hevc|kvazaar/ } as const

/** All of them: undefined settings are those that are not given. */
export function faultsOfRendition(name: string, given: GivenSettings, ladder: Ladder): readonly SettingFault[] {
  if (name === NATIVE) {
    const keys = givenAmong(Object.keys(given), given)
    return keys.map((key) => ({ key, message: `must be left out with ${NATIVE}, which is the source as it is` }))
  }
  const { codec, audioCodec = 'aac' } = given
  const unused = [
    ...(codec === 'copy' ? leftOut(givenAmong(OF_PICTURES, given), 'codec: copy') : []),
    ...(audioCodec === 'aac' ? [] : leftOut(givenAmong(OF_SOUND, given), `audioCodec: ${audioCodec}`)),
  ]
  return codec === 'copy' ? unused : [...unused, ...encoderFaults(given), ...rateFaults(name, given, ladder)]
}

/** `hardware: none` is what it is by default. */
function givenAmong(keys: readonly string[], given: GivenSettings): readonly string[] {
  const all: Readonly<Record<string, unknown>> = { ...given }
  return keys.filter((key) => all[key] !== undefined && !(key === 'hardware' && all[key] === 'none'))
}

function leftOut(keys: readonly string[], beside: string): readonly SettingFault[] {
  return keys.map((key) => ({ key, message: `must be left out with ${beside}` }))
}

function encoderFaults({ codec, encoder, hardware = 'none', profile }: GivenSettings): readonly SettingFault[] {
  const kind = hardware === 'auto' ? 'none' : hardware
  if (encoder !== undefined && codec !== undefined && codec !== 'copy' && !FAMILIES[codec].test(encoder)) {
    return [{ key: 'encoder', message: `must be an encoder of ${codec}, which \`codec\` says` }]
  }
  if (encoder !== undefined && kind !== 'none' && !encoder.endsWith(`_${kind}`)) {
    return [{ key: 'encoder', message: `must be an encoder of ${kind}, which \`hardware\` says` }]
  }
  const fault = profile === undefined ? undefined : faultOfProfile(encoder ?? encoderOf(codec ?? 'h264', kind), profile)
  return fault === undefined ? [] : [{ key: 'profile', message: fault }]
}

function rateFaults(name: string, given: GivenSettings, ladder: Ladder): readonly SettingFault[] {
  const videoRate = videoRateOf(name, given, ladder)
  if (given.maxRate === undefined || given.maxRate >= videoRate) return []
  const rate = `${videoRate / 1000}kb/s${given.video === undefined ? ' by default' : ''}`
  return [{ key: 'maxRate', message: `must be at least that of \`video\`, ${rate}` }]
}
