// Frames as tests compare them, clips that ffmpeg makes, and what ffprobe says of them.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Frame, FrameConsumer, Track } from '@millrace/media/elementary'
import { TsDemuxer } from '@millrace/media/mpegts/demux'
import { Framer } from '@millrace/media/mpegts'

export interface HeldFrame {
  readonly track: Track
  readonly units: readonly Uint8Array[]
  readonly pts90k: number
  readonly dts90k: number
  readonly isRandomAccess: boolean
  readonly isDisposable: boolean
}

/** Copies what it gets. */
export class HeldFrames implements FrameConsumer {
  readonly frames: HeldFrame[] = []
  readonly tracks: Track[] = []
  readonly endedTracks: number[] = []
  readonly announced: string[] = []
  readonly refused: string[] = []
  breaks = 0

  expected(kind: Track['kind']): void {
    this.announced.push(kind)
  }

  track(track: Track): void {
    this.tracks.push(track)
  }

  ended(track: Track): void {
    this.endedTracks.push(track.id)
  }

  frame({ track, bytes, units, unitCount, pts90k, dts90k, ...flags }: Frame): void {
    const list = Array.from({ length: unitCount }, (_, at) => bytes.slice(units[at * 2]!, units[at * 2 + 1]!))
    this.frames.push({ track, units: list, pts90k, dts90k, ...flags })
  }

  discontinuity(): void {
    this.breaks++
  }

  unsupported(kind: Track['kind'], codec: string): void {
    this.refused.push(`${kind} ${codec}`)
  }

  of(kind: Track['kind']): HeldFrame[] {
    return this.frames.filter(({ track }) => track.kind === kind)
  }
}

/** `pieces`: bytes per push to the framer. */
export function demux(bytes: Uint8Array, pieces = 65_536, demuxer = new TsDemuxer()): HeldFrames {
  const held = new HeldFrames()
  demuxer.attach(held)
  const framer = new Framer({})
  for (let at = 0; at < bytes.length; at += pieces) {
    for (const chunk of framer.push(bytes.subarray(at, at + pieces), 0)) demuxer.push(chunk)
  }
  for (const chunk of framer.finish(0)) demuxer.push(chunk)
  demuxer.flush()
  return held
}

export interface ProbedPacket {
  readonly codec_type: string
  readonly pts?: number
  readonly dts?: number
  readonly size: string
  readonly flags: string
}

/** A file that ffmpeg makes of test sources, and its packets. */
export function makeClip(args: readonly string[], extension: string): { bytes: Uint8Array; packets: ProbedPacket[] } {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-clip-'))
  try {
    const path = join(folder, `clip.${extension}`)
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, path])
    return { bytes: new Uint8Array(readFileSync(path)), packets: probe(path).packets }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function probe(path: string): { packets: ProbedPacket[] } {
  const shown = ['-show_entries', 'packet=codec_type,pts,dts,size,flags', '-of', 'json']
  const out = execFileSync('ffprobe', ['-v', 'error', ...shown, path], { maxBuffer: 64 * 1024 * 1024 })
  return JSON.parse(out.toString()) as { packets: ProbedPacket[] }
}

/** The tags of an FLV file: type, time stamp, body. */
export function* listTags(file: Uint8Array): Generator<{ type: number; timestampMs: number; body: Uint8Array }> {
  const view = new DataView(file.buffer, file.byteOffset)
  let at = view.getUint32(5) + 4
  while (at + 11 <= file.length) {
    const size = view.getUint32(at) & 0xff_ffff
    const timestampMs = ((view.getUint32(at + 4) >>> 8) | (file[at + 7]! << 24)) >>> 0
    yield { type: file[at]!, timestampMs, body: file.subarray(at + 11, at + 11 + size) }
    at += 11 + size + 4
  }
}
