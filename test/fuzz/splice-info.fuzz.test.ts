// Random bytes with a right CRC, and damaged sample messages: what is read keeps its bounds, and nothing throws.
import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { parseSpliceInfo } from '@millrace/media/scte35'
import { seeded } from './seeded.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 4000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32)
const SAMPLES = [
  '/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==',
  '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=',
].map((text) => new Uint8Array(Buffer.from(text, 'base64')))

/** CRC_32, ISO/IEC 13818-1 annex A. */
function crcOf(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  }
  return crc >>> 0
}

test(`damaged splice information is read within bounds (seed ${SEED})`, () => {
  const random = seeded(SEED)
  let found = 0
  for (let run = 0; run < RUNS; run++) {
    const bytes = SAMPLES[run % SAMPLES.length]!.slice()
    for (let left = Math.floor(random() * 8); left > 0; left--) {
      bytes[3 + Math.floor(random() * (bytes.length - 7))] = random() < 0.3 ? 0xff : random() * 256
    }
    new DataView(bytes.buffer).setUint32(bytes.length - 4, crcOf(bytes.subarray(0, bytes.length - 4)))
    const info = parseSpliceInfo(bytes)
    if (info === undefined) continue
    found++
    const { pts90k = 0, segmentations, insert } = info
    for (const time of [pts90k, insert?.break90k ?? 0]) assert.ok(time >= 0 && time < 2 ** 33)
    assert.ok(segmentations.length <= 16)
    for (const { duration90k = 0, type } of segmentations) assert.ok(duration90k < 2 ** 40 && type < 256)
  }
  assert.ok(found > 0, 'some are read')
})
