// Streams with splice messages, and the date ranges of playlists, for tests.
import assert from 'node:assert/strict'
import { isUnitStart, PACKET_SIZE, readPid } from '@millrace/media/mpegts'
import { paced, type TimedChunk } from './presentation.test.kit.js'

const SCTE35 = 0x110
const FROM_PTS = 900_000
export const SECOND = 90_000

/** CRC_32, ISO/IEC 13818-1 annex A. */
function crcOf(bytes: readonly number[]): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  }
  return crc >>> 0
}

function be(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(value / 256 ** (count - 1 - index)) % 256)
}

function time(marker: number, ticks: number): number[] {
  const [first = 0, ...rest] = be(ticks, 5)
  return [marker | first, ...rest]
}

/** splice_info_section(), ANSI/SCTE 35 9.6. */
function section(type: number, command: readonly number[], descriptors: readonly number[] = []): readonly number[] {
  const length = [0xf0 | (command.length >> 8), command.length & 0xff]
  const loop = [...be(descriptors.length, 2), ...descriptors]
  const body = [0, 0, 0, 0, 0, 0, 0, 0xff, ...length, type, ...command, ...loop]
  const whole = [0xfc, 0x30 | ((body.length + 4) >> 8), (body.length + 4) & 0xff, ...body]
  return [...whole, ...be(crcOf(whole), 4)]
}

export interface Break {
  readonly ticks: number
  readonly isAutoReturn?: boolean
}

/** splice_insert(), 9.7.3. */
export function insert(event: number, isOut: boolean, pts90k: number, lasting?: Break): readonly number[] {
  const flags = (isOut ? 0x80 : 0) | 0x40 | (lasting === undefined ? 0 : 0x20) | 0x0f
  const duration = lasting === undefined ? [] : time(lasting.isAutoReturn === true ? 0xfe : 0x7e, lasting.ticks)
  return section(5, [...be(event, 4), 0x7f, flags, ...time(0xfe, pts90k), ...duration, 0, 1, 0, 0])
}

export function cancel(event: number): readonly number[] {
  return section(5, [...be(event, 4), 0xff])
}

/** segmentation_descriptor(), 10.3.3; of no type: it cancels the event. */
export function segmentation(event: number, type?: number, ticks?: number): readonly number[] {
  const flags = 0x80 | (ticks === undefined ? 0 : 0x40) | 0x3f
  const duration = ticks === undefined ? [] : be(ticks, 5)
  const more = type === undefined ? [0xff] : [0x7f, flags, ...duration, 0, 0, type, 1, 1]
  const body = [0x43, 0x55, 0x45, 0x49, ...be(event, 4), ...more]
  return [0x02, body.length, ...body]
}

/** time_signal(), 9.7.4. */
export function timeSignal(pts90k: number, ...descriptors: readonly (readonly number[])[]): readonly number[] {
  return section(6, time(0xfe, pts90k), descriptors.flat())
}

/** Replaces messages of the stream, each the first one after that time. `fromMs`: when its first packet is sent. */
export function spliced(
  durationS: number,
  messages: readonly (readonly [atMs: number, section: readonly number[]])[],
  fromMs = 0,
): readonly TimedChunk[] {
  const video = { gopFrames: 25, fps: 25, bFrames: 2 }
  const chunks = paced({ durationS, startPts90k: FROM_PTS, video, data: [{ kind: 'scte35' }] }, { fromMs })
  const left = [...messages]
  for (const { atMs, chunk } of chunks) {
    for (let at = 0; at < chunk.bytes.length && left.length > 0; at += PACKET_SIZE) {
      const isMessage = readPid(chunk.bytes, at) === SCTE35 && isUnitStart(chunk.bytes, at)
      if (!isMessage || atMs - fromMs < left[0]![0]) continue
      const [, bytes] = left.shift()!
      chunk.bytes.fill(0xff, at + 4, at + PACKET_SIZE)
      // Payload without an adaptation field.
      chunk.bytes[at + 3] = (chunk.bytes[at + 3]! & 0x0f) | 0x10
      chunk.bytes.set([0, ...bytes], at + 4)
    }
  }
  assert.equal(left.length, 0)
  return chunks
}

/** Of the stream. */
export function at(seconds: number): number {
  return FROM_PTS + seconds * SECOND
}

/** Their attributes. */
export function rangesIn(text: string): readonly ReadonlyMap<string, string>[] {
  return [...text.matchAll(/#EXT-X-DATERANGE:(.*)\n/g)].map(([, attributes = '']) => {
    return new Map(
      [...attributes.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)].map(([, name = '', value = '']) => [name, value]),
    )
  })
}

export function hexOf(bytes: readonly number[]): string {
  return `0x${Buffer.from(bytes).toString('hex').toUpperCase()}`
}
