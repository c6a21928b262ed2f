// Hostile frames and configurations: the muxer neither throws nor grows, and what comes out is a transport stream.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Codec, Frame, Track } from '@millrace/media/elementary'
import { TsMuxer } from '@millrace/media/mpegts'
import { TsChecker } from '../oracle/check-ts.js'
import { seeded } from './seeded.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 4000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32)
const CODECS: readonly Codec[] = ['h264', 'h265', 'av1', 'aac', 'mp3', 'mp2', 'ac3', 'eac3', 'opus']
const TIMES = [NaN, Infinity, -Infinity, 1e300, -1, 2 ** 33, 2 ** 49]
const HEADS = [
  [0x67, 0x4d, 0x40, 0x1e],
  [0x65, 0x88],
  [0x26, 0x01, 0xaf],
  [0xff, 0xfb, 0x90, 0x00],
  [0x0b, 0x77, 0, 0, 0x14, 0x40],
  [0xfc, 0xff],
]

function randomBytes(random: () => number, limit: number): Uint8Array {
  const bytes = new Uint8Array(random() * limit)
  for (let at = 0; at < bytes.length; at++) bytes[at] = random() * 256
  const head = HEADS[Math.floor(random() * HEADS.length)]!
  if (random() < 0.7 && bytes.length >= head.length) bytes.set(head)
  return bytes
}

function randomTrack(random: () => number): Track {
  const codec = CODECS[Math.floor(random() * CODECS.length)]!
  const config = randomBytes(random, 64)
  if (random() < 0.5) config.set([0x01, 0x64, 0, 0x1e, 0xff, 0xe1].slice(0, config.length))
  if (codec === 'aac' && random() < 0.5) config.set([0x12, 0x10].slice(0, config.length))
  const kind = random() < 0.9 === CODECS.indexOf(codec) < 3 ? 'video' : 'audio'
  const language = random() < 0.3 ? { language: String.fromCharCode(random() * 60_000, 98, 99) } : {}
  return { id: Math.floor(random() * 60), kind, codec, config, ...language }
}

function spoil(frame: Frame, random: () => number): void {
  const { units, bytes } = frame
  for (let at = 0; at < units.length; at++) units[at] = (random() * 3 - 1) * bytes.length
  frame.unitCount = random() * 12 - 1
}

test(`hostile frames leave a sound stream and bounded memory (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const checker = new TsChecker()
  let longest = 0
  const muxer = new TsMuxer({
    consume(bytes, length) {
      assert.equal(length % 188, 0)
      longest = Math.max(longest, bytes.length)
      checker.push(bytes.slice(0, length))
    },
    service: { name: '\ud800 \u{1f600}'.repeat(50), provider: 'x' },
  })
  let time = 0
  for (let run = 0; run < RUNS; run++) {
    const bytes = randomBytes(random, random() < 0.1 ? 70_000 : 40)
    const track = randomTrack(random)
    const units = Int32Array.of(0, bytes.length >> 1, bytes.length >> 1, bytes.length)
    const frame: Frame = {
      track,
      bytes,
      units,
      unitCount: 2,
      pts90k: time,
      dts90k: time,
      isRandomAccess: run % 9 === 0,
      isDisposable: false,
    }
    time += random() * 4000
    if (random() < 0.05) frame.pts90k = TIMES[Math.floor(random() * TIMES.length)]!
    if (random() < 0.05) frame.dts90k = TIMES[Math.floor(random() * TIMES.length)]!
    if (random() < 0.5) spoil(frame, random)
    for (let times = random() * 4; times > 0; times--) muxer.push(frame)
    if (random() < 0.01) muxer.removeTrack(track.id)
    if (random() < 0.01) muxer.flush()
    if (random() < 0.01) muxer.discontinuity()
  }
  muxer.flush()
  const report = checker.report()
  assert.equal(report.syncErrors + report.continuityErrors + report.crcErrors + report.leftoverBytes, 0)
  assert.ok(report.packets > 0 && muxer.counters.frames > 0)
  assert.ok(longest <= 2 ** 20, `${longest} bytes of memory`)
})
