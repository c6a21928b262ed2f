// One track of an FLV stream: what configures it, where the units of a body are, and when they are decoded.
import type { Codec, Track } from '../elementary/index.js'
import { FrameUnits } from '../elementary/frame-units.js'
import { readAvcLengthSize } from '../h264/decoder-configuration.js'
import { isH264Disposable } from '../h264/disposable.js'
import { H264_RULES } from '../h264/random-access.js'
import { readHevcLengthSize } from '../h265/decoder-configuration.js'
import { isH265Disposable } from '../h265/disposable.js'
import { H265_RULES } from '../h265/random-access.js'
import { PICTURE } from '../mpegts/picture-rules.js'
import { TrackClock } from './stream-clock.js'

/** Configurations take some hundred bytes. */
const MAX_CONFIG = 64 * 1024
/** Bytes of the shortest AudioSpecificConfig. */
const MIN_AAC_CONFIG = 2
const NO_BYTES = new Uint8Array(0)

export class FlvTrack {
  readonly kind: Track['kind']
  readonly clock = new TrackClock()
  readonly units = new FrameUnits()
  /** Undefined until it can be decoded. */
  track: Track | undefined
  /** Of the body whose units were found last. */
  isKey = false
  isDisposable = false
  readonly #id: number
  #lengthSize = 0
  /** By how much DTS are moved back, so that none is above its PTS. */
  #shift90k = 0
  #lastDts90k = -Infinity

  constructor(kind: Track['kind'], id: number) {
    this.kind = kind
    this.#id = id
  }

  /** Takes a configuration; true if `track` is another one now. False too if it is empty or damaged: then nothing changes. */
  configure(codec: Codec, body: Uint8Array, start: number, end: number): boolean {
    const size = end - start
    if (size > MAX_CONFIG || (codec === 'aac' && size < MIN_AAC_CONFIG)) return false
    const known = this.track
    if (known !== undefined && known.codec === codec && isSame(known.config, body, start, end)) return false
    const config = size === 0 ? NO_BYTES : body.slice(start, end)
    const lengthSize = codec === 'h265' ? readHevcLengthSize(config) : readAvcLengthSize(config)
    if ((codec === 'h264' || codec === 'h265') && lengthSize === 0) return false
    this.#lengthSize = lengthSize
    this.track = { id: this.#id, kind: this.kind, codec, config }
    return true
  }

  /** Finds the units of a frame. False if there is none. `onDamage`: a unit does not fit, and is left out. */
  findUnits(codec: Codec, body: Uint8Array, start: number, end: number, onDamage: () => void): boolean {
    this.units.clear()
    this.isKey = this.kind === 'audio'
    this.isDisposable = false
    if (codec === 'h264' || codec === 'h265') this.#findNals(codec === 'h264', body, start, end, onDamage)
    else if (codec === 'av1') this.#findObus(body, start, end, onDamage)
    else if (end > start) this.units.add(start, end)
    return this.units.count > 0
  }

  /** DTS of a frame of which PTS and DTS are given: never above the PTS, and increasing wherever that is possible. */
  decodingTime(pts90k: number, dts90k: number): number {
    this.#shift90k = Math.max(this.#shift90k, dts90k - pts90k)
    if (this.#shift90k === 0) return (this.#lastDts90k = dts90k)
    const shifted = Math.max(dts90k - this.#shift90k, Math.min(this.#lastDts90k + 1, dts90k))
    return (this.#lastDts90k = Math.min(pts90k, shifted))
  }

  /** The clock jumped. */
  resetTimes(): void {
    this.#shift90k = 0
    this.#lastDts90k = -Infinity
  }

  #findNals(isH264: boolean, body: Uint8Array, start: number, end: number, onDamage: () => void): void {
    const rules = isH264 ? H264_RULES : H265_RULES
    let hasPicture = false
    let at = start
    while (at < end) {
      const from = at + this.#lengthSize
      let size = 0
      for (let byte = at; byte < Math.min(from, end); byte++) size = size * 256 + body[byte]!
      at = from + size
      if (at > end) {
        onDamage()
        return
      }
      if (size === 0) continue
      const first = body[from]!
      if (rules.kindOf(first) === PICTURE && !hasPicture) {
        hasPicture = true
        this.isKey = rules.isKey(first)
        this.isDisposable = isH264 ? isH264Disposable(first) : isH265Disposable(first)
      }
      if (!this.units.add(from, at)) return
    }
  }

  /** The low-overhead format, AV1 5.3: a unit is an OBU with header and size field. */
  #findObus(body: Uint8Array, start: number, end: number, onDamage: () => void): void {
    let at = start
    while (at < end) {
      const next = obuEnd(body, at, end)
      if (next > end) {
        onDamage()
        return
      }
      if (!this.units.add(at, next)) return
      at = next
    }
  }
}

/** Past `end` if it does not fit. */
function obuEnd(body: Uint8Array, start: number, end: number): number {
  const hasExtension = (body[start]! & 4) !== 0
  const hasSize = (body[start]! & 2) !== 0
  let at = start + (hasExtension ? 2 : 1)
  if (!hasSize) return end
  let size = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) return end + 1
    const byte = body[at++]!
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  return at + size
}

function isSame(known: Uint8Array, body: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let at = 0; at < known.length; at++) if (known[at] !== body[start + at]) return false
  return true
}
