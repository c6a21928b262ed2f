// The header of an Enhanced RTMP body: ModEx, Multitrack and FourCC (Enhanced RTMP v2, ExVideoTagHeader and
// ExAudioTagHeader). One object reads one body after another; no allocation.
import type { Track } from '../elementary/index.js'
import { readFourCc } from './codec-names.js'
import { AUDIO_MULTITRACK, COMMAND_FRAME, MANY_TRACKS_MANY_CODECS, METADATA, MOD_EX } from './tag-format.js'
import { NANOSECOND_OFFSET, ONE_TRACK, VIDEO_MULTITRACK } from './tag-format.js'

/** ModEx may repeat; each takes two bytes or more. */
const MAX_MOD_EX = 16
const LONG_MOD_EX = 256
const FOURCC_SIZE = 4

export class EnhancedHeader {
  packetType = 0
  frameType = 0
  /** To be added to the time stamp. */
  nanoseconds = 0
  /** Of the track that `nextTrack` found: its number, codec and bytes. */
  trackIndex = 0
  fourCc = 0
  start = 0
  end = 0
  #at = 0
  #isMultitrack = false
  #multitrackType = ONE_TRACK
  #isDone = false

  /** Reads what all tracks of the body share. False if it ends before, or is no frame. */
  read(kind: Track['kind'], body: Uint8Array): boolean {
    this.packetType = body[0]! & 0x0f
    this.frameType = kind === 'video' ? (body[0]! >>> 4) & 7 : 0
    this.nanoseconds = 0
    this.trackIndex = 0
    this.#at = 1
    this.#isDone = false
    this.#isMultitrack = false
    if (!this.#readModEx(body)) return false
    if (this.frameType === COMMAND_FRAME && this.packetType !== METADATA) return false
    if (this.packetType === (kind === 'video' ? VIDEO_MULTITRACK : AUDIO_MULTITRACK)) return this.#readMultitrack(body)
    return this.#readFourCc(body)
  }

  /** Moves to the next track of the body; false after the last one, or if the rest is damaged. */
  nextTrack(body: Uint8Array): boolean {
    if (this.#isDone || this.#at > body.length) return false
    if (!this.#isMultitrack) return this.#take(body.length)
    if (this.#at >= body.length) return false
    if (this.#multitrackType === MANY_TRACKS_MANY_CODECS && !this.#readFourCc(body)) return false
    if (this.#at >= body.length) return false
    this.trackIndex = body[this.#at++]!
    if (this.#multitrackType === ONE_TRACK) return this.#take(body.length)
    if (this.#at + 3 > body.length) return false
    const size = readUint24(body, this.#at)
    this.#at += 3
    if (size > body.length - this.#at) return false
    this.start = this.#at
    this.end = this.#at + size
    this.#at = this.end
    return true
  }

  #take(end: number): true {
    this.start = this.#at
    this.end = end
    this.#isDone = true
    return true
  }

  #readModEx(body: Uint8Array): boolean {
    for (let count = 0; this.packetType === MOD_EX; count++) {
      if (count === MAX_MOD_EX || this.#at >= body.length) return false
      let size = body[this.#at++]! + 1
      if (size === LONG_MOD_EX) {
        if (this.#at + 2 > body.length) return false
        size = ((body[this.#at]! << 8) | body[this.#at + 1]!) + 1
        this.#at += 2
      }
      if (this.#at + size >= body.length) return false
      const types = body[this.#at + size]!
      if (types >>> 4 === NANOSECOND_OFFSET && size >= 3) this.nanoseconds = readUint24(body, this.#at)
      this.packetType = types & 0x0f
      this.#at += size + 1
    }
    return true
  }

  #readMultitrack(body: Uint8Array): boolean {
    if (this.#at >= body.length) return false
    const types = body[this.#at++]!
    this.#isMultitrack = true
    this.#multitrackType = types >>> 4
    this.packetType = types & 0x0f
    if (this.#multitrackType > MANY_TRACKS_MANY_CODECS) return false
    return this.#multitrackType === MANY_TRACKS_MANY_CODECS || this.#readFourCc(body)
  }

  #readFourCc(body: Uint8Array): boolean {
    if (this.#at + FOURCC_SIZE > body.length) return false
    this.fourCc = readFourCc(body, this.#at)
    this.#at += FOURCC_SIZE
    return true
  }
}

export function readUint24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
}
