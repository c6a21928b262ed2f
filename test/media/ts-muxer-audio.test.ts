// Every audio codec in the transport stream: what ffmpeg makes of it, and the bytes that the standards ask for.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import type { Frame, Track } from '@millrace/media/elementary'
import { checkTs } from '../oracle/check-ts.js'
import { AUDIO, builtFrames, keptMuxer, makeFrame } from './frame-source.js'

const NONE = new Uint8Array(0)

/** What ffprobe says of the audio, and what ffmpeg warns of when it decodes it. */
function examine(bytes: Uint8Array): { readonly found: string; readonly warnings: string } {
  const entries = ['-show_entries', 'stream=codec_name,sample_rate,channels', '-of', 'csv=p=0']
  const options = { input: bytes, timeout: 60_000 }
  const probe = spawnSync('ffprobe', ['-v', 'error', ...entries, '-f', 'mpegts', 'pipe:0'], options)
  const play = spawnSync('ffmpeg', ['-v', 'warning', '-f', 'mpegts', '-i', 'pipe:0', '-f', 'null', '-'], options)
  return { found: String(probe.stdout).split('\n')[0]!.trim(), warnings: String(play.stderr) }
}

function muxAudio(track: Track, frames: readonly Uint8Array[], frame90k: number): Uint8Array {
  const { muxer, bytes } = keptMuxer()
  for (const [at, frame] of frames.entries()) muxer.push(makeFrame(track, frame, Math.floor((at * frame90k) / 90) * 90))
  muxer.flush()
  assert.equal(muxer.counters.frames, frames.length)
  const report = checkTs(bytes())
  assert.equal(report.continuityErrors + report.crcErrors + report.units[0x110]!.wrongLength, 0)
  assert.ok(report.clocks[0x110]!.maxStepMs <= 40.001, `${report.clocks[0x110]!.maxStepMs} ms`)
  return bytes()
}

/** Two seconds of a tone as raw frames of `size` bytes each. */
function encode(size: number | ((frame: Uint8Array) => number), ...args: readonly string[]): Uint8Array[] {
  const tone = ['-v', 'error', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=2', '-ac', '2', ...args, 'pipe:1']
  const { stdout } = spawnSync('ffmpeg', tone, { timeout: 60_000 })
  const frames: Uint8Array[] = []
  for (let at = 0; at < stdout.length;) {
    const length = typeof size === 'number' ? size : size(stdout.subarray(at))
    frames.push(new Uint8Array(stdout.subarray(at, at + length)))
    at += length
  }
  return frames
}

const aac = (): Uint8Array[] =>
  builtFrames({}, 2)
    .filter(({ track }: Frame) => track === AUDIO)
    .map(({ bytes }) => bytes)

test('AAC stands in ADTS, with its language', () => {
  const bytes = muxAudio(AUDIO, aac(), 1920)
  assert.deepEqual(examine(bytes), { found: 'aac,48000,2', warnings: '' })
  const language = Buffer.from([0x0a, 4, 0x64, 0x65, 0x75, 0])
  assert.ok(Buffer.from(bytes).includes(language))
})

test('AAC that ADTS has no fields for stands in LATM', () => {
  // Spectral band replication that does not double the rate of 48,000 Hz.
  const config = Uint8Array.of(0x29, 0x91, 0x88, 0x00)
  const bytes = muxAudio({ ...AUDIO, config }, aac(), 1920)
  assert.deepEqual(examine(bytes), { found: 'aac_latm,48000,2', warnings: '' })
})

test('AC-3 is announced as ATSC or DVB does', () => {
  const frames = encode(768, '-c:a', 'ac3', '-b:a', '192k', '-f', 'ac3')
  const track: Track = { id: 9, kind: 'audio', codec: 'ac3', config: NONE }
  assert.deepEqual(examine(muxAudio(track, frames, 2880)), { found: 'ac3,48000,2', warnings: '' })
  const { muxer, bytes } = keptMuxer({ ac3: 'dvb' })
  for (const [at, frame] of frames.entries()) muxer.push(makeFrame(track, frame, at * 2880))
  muxer.flush()
  assert.deepEqual(examine(bytes()), { found: 'ac3,48000,2', warnings: '' })
})

test('Enhanced AC-3 is announced', () => {
  const size = (frame: Uint8Array): number => ((((frame[2]! & 7) << 8) | frame[3]!) + 1) * 2
  const frames = encode(size, '-c:a', 'eac3', '-b:a', '192k', '-f', 'eac3')
  const track: Track = { id: 9, kind: 'audio', codec: 'eac3', config: NONE }
  assert.deepEqual(examine(muxAudio(track, frames, 2880)), { found: 'eac3,48000,2', warnings: '' })
})

test('MPEG audio stands as it is', () => {
  const frames = encode(576, '-c:a', 'mp2', '-b:a', '192k', '-f', 'mp2')
  const track: Track = { id: 9, kind: 'audio', codec: 'mp2', config: NONE }
  assert.deepEqual(examine(muxAudio(track, frames, 2160)), { found: 'mp2,48000,2', warnings: '' })
})

test('Opus has a control header with its size, and its channels in the PMT', () => {
  const silence = Array.from({ length: 100 }, () => Uint8Array.of(0xfc, 0xff, 0xfe))
  const bytes = muxAudio({ id: 9, kind: 'audio', codec: 'opus', config: NONE }, silence, 1800)
  assert.equal(examine(bytes).found, 'opus,48000,2')
  assert.ok(Buffer.from(bytes).includes(Buffer.from([0x7f, 0xe0, 3, 0xfc, 0xff, 0xfe])))
  const pmt = Buffer.from([0x05, 4, 0x4f, 0x70, 0x75, 0x73, 0x7f, 2, 0x80, 2])
  assert.ok(Buffer.from(bytes).includes(pmt))
})
