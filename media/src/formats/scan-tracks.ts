// Looks through the packets of a part of a stream once: which tracks send, how many units each of them has, how they begin, and
// the beginning of each picture.
import type { Track } from '../mpegts/chunk.js'
import { hasPayload, isUnitStart, PACKET_SIZE, payloadOffset, readCounter, readPid } from '../mpegts/packet.js'
import { pesHeaderEnd, readPts } from '../mpegts/pes.js'
import { difference33 } from '../mpegts/timestamps.js'

export interface TrackScan {
  readonly track: Track
  /** That begin there. */
  readonly units: number
  /** Of the elementary stream, from the first unit on. */
  readonly elementary: Uint8Array
  /** Times of the first and the last unit that has one, 90 kHz, 33 bits; -1 without any. */
  readonly firstPts90k: number
  readonly lastPts90k: number
  /** From the last unit but one to the last; 0 if that is not known. */
  readonly step90k: number
  /** Continuity counter of the last packet with payload; -1 without any. */
  readonly lastCounter: number
}

/** Past delimiter, parameter sets and SEI of a picture; some frames of audio. */
const MAX_ELEMENTARY = 8 * 1024
/** What stands in front of the first slice of a picture, captions included. */
const MAX_PICTURE = 2 * 1024

interface Slot {
  readonly track: Track
  units: number
  readonly elementary: Uint8Array
  length: number
  readonly picture: Uint8Array | undefined
  pictureLength: number
  firstPts90k: number
  lastPts90k: number
  step90k: number
  lastCounter: number
}

/** `onPicture`: called with the beginning of each picture, whose bytes are used again. By PID; audio and video only. */
export function scanTracks(
  tracks: readonly Track[],
  parts: readonly Uint8Array[],
  onPicture: (track: Track, unit: Uint8Array) => void,
): ReadonlyMap<number, TrackScan> {
  const slots = new Map<number, Slot>()
  for (const track of tracks) if (track.media !== 'data') slots.set(track.pid, slotOf(track))
  const endPicture = ({ track, picture, pictureLength }: Slot): void => {
    if (picture !== undefined && pictureLength > 0) onPicture(track, picture.subarray(0, pictureLength))
  }
  for (const bytes of parts) {
    for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
      const slot = slots.get(readPid(bytes, at))
      if (slot === undefined) continue
      const isStart = isUnitStart(bytes, at)
      if (hasPayload(bytes, at)) slot.lastCounter = readCounter(bytes, at)
      if (isStart) {
        endPicture(slot)
        slot.units++
        slot.pictureLength = 0
        noteTime(slot, readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE))
      }
      if (slot.units > 0) take(slot, bytes, at, isStart)
    }
  }
  for (const slot of slots.values()) endPicture(slot)
  return new Map(
    Array.from(slots, ([pid, { elementary, length, picture: _, pictureLength: __, ...scan }]) => {
      return [pid, { ...scan, elementary: elementary.subarray(0, length) }]
    }),
  )
}

function slotOf(track: Track): Slot {
  const picture = track.media === 'video' ? new Uint8Array(MAX_PICTURE) : undefined
  const counts = { units: 0, length: 0, pictureLength: 0, step90k: 0 }
  const unknown = { firstPts90k: -1, lastPts90k: -1, lastCounter: -1 }
  return { track, elementary: new Uint8Array(MAX_ELEMENTARY), picture, ...counts, ...unknown }
}

function noteTime(slot: Slot, pts90k: number): void {
  if (pts90k < 0) return
  if (slot.firstPts90k < 0) slot.firstPts90k = pts90k
  else slot.step90k = difference33(pts90k, slot.lastPts90k)
  slot.lastPts90k = pts90k
}

function take(slot: Slot, bytes: Uint8Array, packet: number, isStart: boolean): void {
  const { elementary, picture } = slot
  const wantsPicture = picture !== undefined && slot.pictureLength < picture.length
  if (slot.length === elementary.length && !wantsPicture) return
  const end = packet + PACKET_SIZE
  const payload = payloadOffset(bytes, packet)
  const start = isStart ? pesHeaderEnd(bytes, payload, end) : payload
  if (start >= end) return
  slot.length = append(elementary, slot.length, bytes, start, end)
  if (picture !== undefined) slot.pictureLength = append(picture, slot.pictureLength, bytes, start, end)
}

function append(into: Uint8Array, length: number, bytes: Uint8Array, start: number, end: number): number {
  const count = Math.min(end - start, into.length - length)
  if (count > 0) into.set(bytes.subarray(start, start + count), length)
  return length + Math.max(0, count)
}
