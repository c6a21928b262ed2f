// Checks a transport stream, at once or piece by piece, and reports its contents and its faults. Written from the
// standards, deliberately naive and without a line of `media` or `engine`, because it verifies both. Memory does not
// grow with the stream.
import type { ClockReport } from './clock.js'
import { Clocks } from './clock.js'
import { Continuity } from './continuity.js'
import { isKeyPicture } from './key-picture.js'
import type { StreamReport, TableReport } from './tables.js'
import { Tables } from './tables.js'
import type { TsPacket } from './ts-packet.js'
import { parseTsPacket } from './ts-packet.js'
import type { UnitsReport } from './units.js'
import { Units } from './units.js'

const PACKET_SIZE = 188
const SYNC = 0x47
const NULL_PID = 0x1fff
/** Consecutive sync bytes required before synchronisation is assumed. */
const CONFIRM = 3
const MAX_SPLICES = 1000

export interface TsReport {
  readonly bytes: number
  readonly packets: number
  readonly nullPackets: number
  /** How often synchronisation was lost, or a packet had a wrong sync byte. */
  readonly syncErrors: number
  readonly skippedBytes: number
  /** Bytes after the last whole packet. */
  readonly leftoverBytes: number
  readonly continuityErrors: number
  readonly continuityErrorsByPid: Readonly<Record<number, number>>
  readonly duplicates: number
  /** Of these packets only the counter is examined. */
  readonly transportErrors: number
  readonly scrambled: number
  readonly crcErrors: number
  /** By PID: PAT, PMTs and any other tables seen. */
  readonly tables: Readonly<Record<number, TableReport>>
  readonly streams: readonly StreamReport[]
  readonly startsWithPat: boolean
  /** PAT and all PMTs were complete before the first packet of a unit; also true if there was no unit. */
  readonly psiBeforeFirstUnit: boolean
  readonly clocks: Readonly<Record<number, ClockReport>>
  readonly units: Readonly<Record<number, UnitsReport>>
  /** The first unit with a video stream_id: its flag, and whether its bytes are a key picture. */
  readonly firstVideoUnit:
    | { readonly pid: number; readonly randomAccessIndicator: boolean; readonly keyPicture: boolean | undefined }
    | undefined
  /** Packets without payload that carry a discontinuity_indicator: the first thousand. */
  readonly splices: readonly { readonly packet: number; readonly pid: number }[]
  readonly spliceCount: number
  /** Packets by PID. */
  readonly packetsByPid: Readonly<Record<number, number>>
}

/** Checks a whole stream. */
export function checkTs(bytes: Uint8Array): TsReport {
  const checker = new TsChecker()
  checker.push(bytes)
  checker.end()
  return checker.report()
}

export class TsChecker {
  #pending = new Uint8Array(0)
  #bytes = 0
  #packets = 0
  #nullPackets = 0
  #syncErrors = 0
  #skippedBytes = 0
  #transportErrors = 0
  #scrambled = 0
  #startsWithPat = false
  #psiBeforeFirstUnit: boolean | undefined
  #spliceCount = 0
  readonly #splices: { packet: number; pid: number }[] = []
  readonly #packetsByPid: Record<number, number> = {}
  readonly #continuity = new Continuity()
  readonly #tables = new Tables()
  readonly #clocks = new Clocks()
  readonly #units = new Units()

  /** The caller may reuse `bytes` afterwards. */
  push(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    const all = new Uint8Array(this.#pending.length + bytes.length)
    all.set(this.#pending)
    all.set(bytes, this.#pending.length)
    this.#pending = all.slice(this.#consume(all, false))
  }

  /** The stream is over: what was still unconfirmed is decided. */
  end(): void {
    this.#pending = this.#pending.slice(this.#consume(this.#pending, true))
    this.#units.end()
  }

  /** May be called at any time; a later report includes everything in earlier ones. */
  report(): TsReport {
    return {
      bytes: this.#bytes,
      packets: this.#packets,
      nullPackets: this.#nullPackets,
      syncErrors: this.#syncErrors,
      skippedBytes: this.#skippedBytes,
      leftoverBytes: this.#pending.length,
      continuityErrors: this.#continuity.errors,
      continuityErrorsByPid: { ...this.#continuity.errorsByPid },
      duplicates: this.#continuity.duplicates,
      transportErrors: this.#transportErrors,
      scrambled: this.#scrambled,
      crcErrors: this.#tables.crcErrors,
      tables: structuredClone(this.#tables.byPid),
      streams: [...this.#tables.streams.values()],
      startsWithPat: this.#startsWithPat,
      psiBeforeFirstUnit: this.#psiBeforeFirstUnit ?? true,
      clocks: structuredClone(this.#clocks.byPid),
      units: structuredClone(this.#units.byPid),
      firstVideoUnit: this.#describeFirstVideo(),
      splices: [...this.#splices],
      spliceCount: this.#spliceCount,
      packetsByPid: { ...this.#packetsByPid },
    }
  }

  /** Takes packets from the front; returns how many bytes were consumed. */
  #consume(all: Uint8Array, final: boolean): number {
    let at = 0
    while (at + PACKET_SIZE <= all.length) {
      if (all[at] === SYNC) {
        this.#take(all.subarray(at, at + PACKET_SIZE))
        at += PACKET_SIZE
        continue
      }
      const next = findSync(all, at, final)
      if (next === undefined) return at
      this.#syncErrors++
      this.#skippedBytes += next - at
      at = next
    }
    return at
  }

  #take(bytes: Uint8Array): void {
    const packet = parseTsPacket(bytes, this.#packets)
    if (this.#packets === 0) this.#startsWithPat = packet.pid === 0 && packet.unitStart
    this.#packets++
    this.#packetsByPid[packet.pid] = (this.#packetsByPid[packet.pid] ?? 0) + 1
    if (packet.pid === NULL_PID) this.#nullPackets++
    const errorsBefore = this.#continuity.errors
    const isNew = this.#continuity.take(packet)
    if (packet.transportError) {
      this.#transportErrors++
      return
    }
    if (packet.scrambled) this.#scrambled++
    if (packet.discontinuity && !packet.hasPayload) this.#noteSplice(packet)
    if (packet.pid === NULL_PID || !isNew) return
    this.#clocks.take(packet)
    if (this.#continuity.errors > errorsBefore) this.#tables.forget(packet.pid)
    if (!packet.scrambled) this.#takePayload(packet)
  }

  #takePayload(packet: TsPacket): void {
    const { pid, payload } = packet
    if (this.#tables.isSectionPid(pid)) {
      if (packet.hasPayload) this.#tables.take(packet)
      return
    }
    const begins = packet.unitStart && payload[0] === 0 && payload[1] === 0 && payload[2] === 1
    if (begins) this.#psiBeforeFirstUnit ??= this.#tables.hasAll
    // Sections of private streams (SCTE-35 and the like) are not units.
    if (begins || this.#units.byPid[pid] !== undefined) this.#units.take(packet)
  }

  #noteSplice(packet: TsPacket): void {
    this.#spliceCount++
    if (this.#splices.length < MAX_SPLICES) this.#splices.push({ packet: packet.index, pid: packet.pid })
  }

  #describeFirstVideo(): TsReport['firstVideoUnit'] {
    const first = this.#units.firstVideo
    if (first === undefined) return undefined
    const streamType = this.#tables.streams.get(first.pid)?.streamType
    const keyPicture = streamType === undefined ? undefined : isKeyPicture(first.bytes, streamType)
    return { pid: first.pid, randomAccessIndicator: first.randomAccess, keyPicture }
  }
}

/**
 * The next position after `from` with consecutive sync bytes: tried first where the next packet should be, so one wrong
 * byte costs one packet. At the end of the stream fewer suffice. Undefined if more bytes are needed.
 */
function findSync(all: Uint8Array, from: number, final: boolean): number | undefined {
  const candidates = [from + PACKET_SIZE]
  for (let at = from + 1; at < all.length; at++) candidates.push(at)
  for (const at of candidates) {
    const steps = Array.from({ length: CONFIRM }, (_, index) => at + index * PACKET_SIZE)
    const known = steps.filter((step) => step < all.length)
    if (!known.every((step) => all[step] === SYNC)) continue
    if (known.length === CONFIRM || (final && known.length > 0)) return at
    if (!final) return undefined
  }
  return undefined
}
