// Streams that hurt, packet by packet, and a presentation that takes them without looking at its playlists.
import { Framer, mod33, packetise, PACKET_SIZE, renderPat, renderPmt, SYNC_BYTE } from '@millrace/media/mpegts'
import type { PresentationSettings } from './presentation/presentation-host.js'
import { PresentationBench } from './presentation.test.kit.js'

const PMT_PID = 0x1000
export const VIDEO_PID = 0x100
const BATCH = 7 * PACKET_SIZE
const DELIMITER = [0, 0, 0, 1, 9, 0x10]
const PARAMETERS = [0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0, 0xa0, 0x47, 0xfe, 0xc8, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]
const IDR = [...DELIMITER, ...PARAMETERS, 0, 0, 1, 0x65, 0x88, 0x84]
const OTHER = [...DELIMITER, 0, 0, 1, 0x41, 0x9a]
const MEMORY_BYTES = 256 * 1024 * 1024

export interface HostileTrack {
  readonly pid: number
  readonly type: number
  readonly descriptors?: readonly number[]
}

export interface HostileUnit {
  readonly pid?: number
  readonly pts90k: number
  readonly isKey?: boolean
  /** Behind the PES header. By default the beginning of an IDR picture, or of another one. */
  readonly elementary?: readonly number[]
  /** Transport packets. */
  readonly packets?: number
}

/** Writes what it is told to, with counters that go on. */
export class HostileMux {
  readonly #counters = new Map<number, number>()
  #packets: Uint8Array[] = []

  tables(tracks: readonly HostileTrack[], version = 0): this {
    const pat = renderPat({
      ...{ transportStreamId: 1, version: 0, current: true, sectionNumber: 0, lastSectionNumber: 0 },
      ...{ networkPid: undefined, programs: [{ program: 1, pmtPid: PMT_PID }] },
    })
    const streams = tracks.map(({ pid, type, descriptors = [] }) => {
      return { pid, streamType: type, descriptors: Uint8Array.from(descriptors) }
    })
    const pmt = renderPmt({
      ...{ program: 1, version: version % 32, current: true, pcrPid: VIDEO_PID },
      ...{ descriptors: new Uint8Array(0), streams },
    })
    this.#section(0, pat)
    this.#section(PMT_PID, pmt)
    return this
  }

  pat(): this {
    const pat = renderPat({
      ...{ transportStreamId: 1, version: 0, current: true, sectionNumber: 0, lastSectionNumber: 0 },
      ...{ networkPid: undefined, programs: [{ program: 1, pmtPid: PMT_PID }] },
    })
    this.#section(0, pat)
    return this
  }

  unit({ pid = VIDEO_PID, pts90k, isKey = false, elementary, packets = 1 }: HostileUnit): this {
    const pts = mod33(Math.round(pts90k))
    const given = elementary ?? (isKey ? IDR : OTHER)
    const header = [0, 0, 1, pid === VIDEO_PID ? 0xe0 : 0xc0, 0, 0, 0x84, 0x80, 5, ...timestamp(pts)]
    for (let packet = 0; packet < packets; packet++) {
      const bytes = new Uint8Array(PACKET_SIZE).fill(0x55)
      const isFirst = packet === 0
      bytes.set([SYNC_BYTE, (isFirst ? 0x40 : 0) | (pid >> 8), pid & 0xff, 0x30 | this.#next(pid)])
      const field = isFirst ? [7, 0x10 | (isKey ? 0x40 : 0), ...pcr(pts)] : [0]
      bytes.set(field, 4)
      const at = 4 + field.length
      if (isFirst) bytes.set([...header, ...given].slice(0, PACKET_SIZE - at), at)
      this.#packets.push(bytes)
    }
    return this
  }

  /** What has been written since the last call. */
  take(): Uint8Array {
    const bytes = Buffer.concat(this.#packets)
    this.#packets = []
    return bytes
  }

  #section(pid: number, section: Uint8Array): void {
    const first = this.#counters.get(pid) ?? 0
    const packets = packetise(section, pid, first)
    this.#counters.set(pid, (first + packets.length / PACKET_SIZE) & 15)
    this.#packets.push(packets)
  }

  #next(pid: number): number {
    const counter = this.#counters.get(pid) ?? 0
    this.#counters.set(pid, (counter + 1) & 15)
    return counter
  }
}

/** Takes what comes, without looking at its playlists. */
export class HostileBench extends PresentationBench {
  readonly #framers: readonly Framer[]

  constructor(more: Partial<PresentationSettings> = {}, names: readonly string[] = ['main']) {
    super({ windowMs: 60_000, memoryBytes: MEMORY_BYTES, ...more }, names)
    this.#framers = names.map((_, generation) => new Framer({ generation }))
  }

  override check(): void {
    // Thousands of versions would take too long.
  }

  /** The bytes come now. */
  push(bytes: Uint8Array, index = 0): this {
    const framer = this.#framers[index]!
    for (let at = 0; at < bytes.length; at += BATCH) {
      for (const chunk of framer.push(bytes.subarray(at, at + BATCH), this.clock.nowMs())) {
        this.presentation.push(index, chunk)
      }
    }
    for (const chunk of framer.flush(this.clock.nowMs())) this.presentation.push(index, chunk)
    return this
  }

  pass(ms: number): this {
    this.clock.advance(ms)
    this.presentation.tick()
    return this
  }
}

function timestamp(pts: number): readonly number[] {
  return [
    0x21 | (Math.floor(pts / 2 ** 30) << 1),
    (pts >>> 22) & 0xff,
    ((pts >>> 14) & 0xfe) | 1,
    (pts >>> 7) & 0xff,
    ((pts << 1) & 0xfe) | 1,
  ]
}

function pcr(base: number): readonly number[] {
  return [
    Math.floor(base / 2 ** 25) & 0xff,
    Math.floor(base / 2 ** 17) & 0xff,
    (base >>> 9) & 0xff,
    (base >>> 1) & 0xff,
    ((base & 1) << 7) | 0x7e,
    0,
  ]
}
