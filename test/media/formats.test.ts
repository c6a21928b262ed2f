// What is read from the headers of real encoders agrees with ffprobe.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readFormat, silentAdtsFrame } from '@millrace/media/formats'

interface Row {
  readonly name: string
  readonly codec: string
  readonly bytes: string
  readonly expected: {
    readonly profile?: string
    readonly level?: number
    readonly width?: number
    readonly height?: number
    readonly rate?: string
    readonly sampleRate?: number
    readonly channels?: number
  }
}

const FIXTURES = join(import.meta.dirname, '../../fixtures/formats.json')
/** What ffprobe does not name: RFC 6381, ISO/IEC 14496-15 annex E. */
const NAMES: Readonly<Record<string, string>> = {
  'H.264 High, 1080p with cropped rows': 'avc1.640028',
  'H.264 Constrained Baseline, an odd size': 'avc1.42c00d',
  'H.264 Main, interlaced': 'avc1.4d401e',
  'H.264 High 4:2:2, 10 bits': 'avc1.7a001f',
  'H.264 High 4:4:4': 'avc1.f4000c',
  'H.265 Main, 1080p': 'hvc1.1.6.L120.90',
  'H.265 Main 10, an odd size': 'hvc1.2.4.L63.90',
  'H.265 4:2:2 with scaling lists': 'hvc1.4.10.H153.9D.8',
  'MPEG-2 Main': 'mp4v.61',
  'MPEG-2 4:2:2': 'mp4v.65',
  'MPEG-1': 'mp4v.6a',
  'AAC stereo': 'mp4a.40.2',
  'AAC in LATM': 'mp4a.40.2',
  'MPEG audio layer II': 'mp4a.40.33',
  'MPEG audio layer III': 'mp4a.40.34',
  'AC-3 5.1': 'ac-3',
  'Enhanced AC-3 5.1': 'ec-3',
}

for (const { name, codec, bytes, expected } of JSON.parse(readFileSync(FIXTURES, 'utf8')) as readonly Row[]) {
  test(`${name}: the format of the headers is what ffprobe reads`, () => {
    const format = readFormat(codec, Buffer.from(bytes, 'base64'))
    assert.ok(format)
    const { width, height, sampleRate, channels, rate } = expected
    assert.deepEqual(
      [format.width, format.height, format.sampleRate, format.channels],
      [width, height, sampleRate, channels],
    )
    const [over = NaN, under = NaN] = rate?.split('/').map(Number) ?? []
    if (rate !== undefined) assert.ok(Math.abs((format.frameRate ?? 0) - over / under) < 1e-6, `${format.frameRate}`)
    if (NAMES[name] !== undefined) assert.equal(format.name, NAMES[name])
    if (expected.level !== undefined) assertLevel(format.name, expected.level)
    if (name.includes('interlaced') && codec === 'h264') assert.equal(format.isInterlaced, true)
  })
}

test('frames of AAC without sound are decoded by ffmpeg as silence, with any number of channels', () => {
  const CHANNELS = [1, 2, 3, 4, 5, 6, 8]
  for (const [index, channels] of CHANNELS.entries()) {
    const configuration = index + 1
    const header = Uint8Array.of(
      0xff,
      0xf1,
      0x4c | (configuration >>> 2),
      ((configuration & 3) << 6) | 0,
      2,
      0x1f,
      0xfc,
    )
    const frame = silentAdtsFrame(header, 0)
    assert.ok(frame)
    assert.deepEqual([frame.ticks, readFormat('aac', frame.bytes)?.channels], [1920, channels])
    const input = Buffer.concat(Array.from({ length: 20 }, () => frame.bytes))
    const output = ['-v', 'warning', '-f', 'aac', '-i', 'pipe:', '-f', 's16le', 'pipe:']
    const { stdout, stderr } = spawnSync('ffmpeg', output, { input, maxBuffer: 16 * 1024 * 1024 })
    // How long raw ADTS is, ffmpeg can only guess.
    assert.match(String(stderr), /^(\[aac @ \w+\] Estimating duration [^\n]*\n)?$/)
    assert.ok(stdout.length >= 18 * 1024 * 2 * channels && stdout.every((byte) => byte === 0), `${channels} channels`)
  }
})

/** As ffprobe counts levels. */
function assertLevel(name: string, level: number): void {
  const [kind, ...rest] = name.split('.')
  if (kind === 'avc1') assert.equal(Number.parseInt(rest[0]!.slice(4), 16), level)
  if (kind === 'hvc1') assert.equal(Number(rest[2]!.slice(1)), level)
}
