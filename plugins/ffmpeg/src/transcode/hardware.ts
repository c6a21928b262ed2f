// Encoders in hardware: their names, what they need, and whether one works here: by encoding a picture with it, since a
// build that lists an encoder says nothing about the machine.
import type { Processes } from '@millrace/engine/plugin'
import { knownFailure } from '../process/known-failure.js'

/** In the order in which `auto` tries them. */
export const HARDWARE = ['nvenc', 'qsv', 'vaapi'] as const
export type Hardware = (typeof HARDWARE)[number]

/** The least that all of them take, in 4:2:0. */
const [WIDTH, HEIGHT] = [320, 240]
/** A driver that is loaded for the first time takes seconds. */
const TIMEOUT_MS = 15_000
const MOST_BYTES = 1024 * 1024
const LONGEST_REASON = 300

/** What precedes the inputs. `device`: of VAAPI. */
export function deviceArguments(kinds: Iterable<Hardware | 'none'>, device: string): readonly string[] {
  return [...kinds].includes('vaapi') ? ['-vaapi_device', device] : []
}

/** The filters that give pictures the form which the encoder takes. */
export function uploadFilters(kind: Hardware | 'none'): readonly string[] {
  switch (kind) {
    case 'vaapi':
      return ['format=nv12', 'hwupload']
    case 'qsv':
      return ['format=nv12']
    default:
      return ['format=yuv420p']
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
  { encoder, hardware }: { readonly encoder: string; readonly hardware: Hardware | 'none' },
  { processes, program, device, signal }: ProbeParts,
): Promise<string | undefined> {
  const command = [...program, ...probeArguments(encoder, hardware, device)]
  const input = new Uint8Array(WIDTH * HEIGHT * 1.5)
  const limits = { mostOutputBytes: MOST_BYTES, timeoutMs: TIMEOUT_MS }
  const { output, failure } = await processes.convert({ command, input, signal, ...limits })
  if (output !== undefined && output.length > 0) return undefined
  const lines = (failure ?? 'it has encoded nothing').split('\n')
  return (knownFailure(lines)?.text ?? lines.join(' ')).slice(0, LONGEST_REASON)
}

export function probeArguments(encoder: string, hardware: Hardware | 'none', device: string): readonly string[] {
  return [
    ...['-hide_banner', '-nostats', '-loglevel', 'error', ...deviceArguments([hardware], device)],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-r', '25', '-i', 'pipe:0'],
    ...['-vf', uploadFilters(hardware).join(','), '-frames:v', '1', '-c:v', encoder, '-f', 'mpegts', 'pipe:1'],
  ]
}
