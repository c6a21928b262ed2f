// Encoders in hardware: their names, what they need, and whether one works here: by encoding a picture with it, since a
// build that lists an encoder says nothing about the machine.
import type { Processes } from '@millrace/engine/plugin'
import { knownFailure } from '../process/known-failure.js'
import { withoutAddresses } from '../process/log-line.js'
import { pixelFormat } from './pixel-format.js'
import { tuningArguments } from './tuning-arguments.js'
import type { Tuning } from './tuning-arguments.js'

/** In the order in which `auto` tries them. */
export const HARDWARE = ['nvenc', 'qsv', 'vaapi'] as const
export type Hardware = (typeof HARDWARE)[number]

/** The least that all of them take, in 4:2:0. */
const [WIDTH, HEIGHT] = [320, 240]
/** A driver that is loaded for the first time takes seconds. */
const TIMEOUT_MS = 15_000
const MOST_BYTES = 1024 * 1024
const LONGEST_REASON = 300

/** Semi-planar formats, which hardware takes. */
const IN_HARDWARE: Readonly<Record<string, string>> = { yuv420p: 'nv12', yuv420p10le: 'p010le' }

/** An encoder, and what it is told of a rendition. */
export interface TriedEncoder extends Tuning {
  readonly encoder: string
  readonly hardware: Hardware | 'none'
}

/** What precedes the inputs. `device`: of VAAPI. */
export function deviceArguments(kinds: Iterable<Hardware | 'none'>, device: string): readonly string[] {
  return [...kinds].includes('vaapi') ? ['-vaapi_device', device] : []
}

/** The filters that give pictures the form which the encoder takes. */
export function uploadFilters(encoder: TriedEncoder): readonly string[] {
  const { name } = pixelFormat(encoder)
  switch (encoder.hardware) {
    case 'vaapi':
      return [`format=${IN_HARDWARE[name] ?? name}`, 'hwupload']
    case 'qsv':
      return [`format=${IN_HARDWARE[name] ?? name}`]
    case 'nvenc':
      return [`format=${name === 'yuv420p10le' ? 'p010le' : name}`]
    default:
      return [`format=${name}`]
  }
}

export interface ProbeParts {
  readonly processes: Pick<Processes, 'convert'>
  /** ffmpeg. */
  readonly program: readonly string[]
  /** Of VAAPI. */
  readonly device: string
  readonly signal: AbortSignal
}

/** Encodes one picture. Resolves with the reason if it cannot; undefined if it can. Never rejects. */
export async function probeEncoder(
  encoder: TriedEncoder,
  { processes, program, device, signal }: ProbeParts,
): Promise<string | undefined> {
  const command = [...program, ...probeArguments(encoder, device)]
  const input = new Uint8Array(WIDTH * HEIGHT * 1.5)
  const limits = { mostOutputBytes: MOST_BYTES, timeoutMs: TIMEOUT_MS }
  const { output, failure } = await processes.convert({ command, input, signal, ...limits })
  if (output !== undefined && output.length > 0) return undefined
  const lines = withoutAddresses(failure ?? 'it has encoded nothing').split('\n')
  return (knownFailure(lines)?.text ?? lines.join(' ')).slice(0, LONGEST_REASON)
}

export function probeArguments(encoder: TriedEncoder, device: string): readonly string[] {
  return [
    ...['-hide_banner', '-nostats', '-loglevel', 'error', ...deviceArguments([encoder.hardware], device)],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-r', '25', '-i', 'pipe:0'],
    ...['-vf', uploadFilters(encoder).join(','), '-frames:v', '1'],
    ...['-c:v', encoder.encoder, ...tuningArguments(encoder), '-f', 'mpegts', 'pipe:1'],
  ]
}
