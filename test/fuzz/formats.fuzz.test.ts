// Random damage to the headers of real encoders, and random bytes: what is read keeps its bounds, and nothing throws.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CaptionChannels, readFormat } from '@millrace/media/formats'
import { seeded } from './seeded.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 4000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32)
const FIXTURES = join(import.meta.dirname, '../../fixtures/formats.json')
const rows = JSON.parse(readFileSync(FIXTURES, 'utf8')) as readonly { readonly codec: string; readonly bytes: string }[]
const CODECS = [...new Set(rows.map(({ codec }) => codec)), 'opus', 'dts']
/** cc_data in an SEI message of H.264: what captions damage. */
const CAPTIONS = [
  0, 0, 1, 6, 4, 18, 0xb5, 0, 0x31, 0x47, 0x41, 0x39, 0x34, 3, 0xc2, 0xff, 0xfc, 0x94, 0x20, 0xff, 2, 0x22,
]

function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  const out = bytes.slice(0, Math.ceil(random() * bytes.length))
  for (let left = Math.floor(random() * 6); left > 0; left--) {
    out[Math.floor(random() * Math.min(out.length, 96))] = random() < 0.5 ? random() * 256 : random() < 0.5 ? 0 : 0xff
  }
  return out
}

function assertSound(codec: string, bytes: Uint8Array, descriptors?: Uint8Array): void {
  const format = readFormat(codec, bytes, descriptors)
  if (format === undefined) return
  assert.match(format.name, /^[a-zA-Z0-9.-]{4,48}$/)
  const { width = 1, height = 1, frameRate = 1, sampleRate = 1, channels = 1 } = format
  for (const size of [width, height]) assert.ok(Number.isInteger(size) && size > 0 && size <= 16_384, `${size}`)
  for (const value of [frameRate, sampleRate]) assert.ok(Number.isFinite(value) && value > 0, `${value}`)
  assert.ok(channels >= 1 && channels <= 24)
}

test(`damaged headers are read within bounds (seed ${SEED})`, () => {
  const random = seeded(SEED)
  for (let run = 0; run < RUNS; run++) {
    const { codec, bytes } = rows[run % rows.length]!
    assertSound(codec, damaged(Buffer.from(bytes, 'base64'), random))
  }
})

test(`any bytes are accepted, as headers, descriptors and captions (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const channels = new CaptionChannels()
  for (let run = 0; run < RUNS; run++) {
    const bytes = new Uint8Array(Math.floor(random() * 200)).map(() => (random() < 0.3 ? 0 : random() * 256))
    if (random() < 0.7) bytes.set([0, 0, 1].slice(0, bytes.length))
    assertSound(CODECS[run % CODECS.length]!, bytes, bytes.subarray(3))
    for (const codec of ['h264', 'h265', 'mpeg2video']) channels.push(codec, bytes)
    channels.push('h264', damaged(Uint8Array.from(CAPTIONS), random))
  }
  assert.ok(channels.list.every((name) => /^(CC[1-4]|SERVICE\d{1,2})$/.test(name)))
})
