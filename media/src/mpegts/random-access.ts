// Decides where chunks are cut: finds the random access points of the lead among the packets of a framer, by its access
// units, and where the PAT and PMT before them begin.
import { H264_RULES } from '../h264/random-access.js'
import { H265_RULES } from '../h265/random-access.js'
import { MPEG2_RULES } from '../mpeg2/random-access.js'
import type { DecoderHead, Lead } from './chunk.js'
import { PSI, UNIT_START } from './marks.js'
import { hasRandomAccessIndicator, PACKET_SIZE, payloadOffset, readPid } from './packet.js'
import { readPts } from './pes.js'
import { PictureFinder } from './picture-finder.js'
import type { PictureRules } from './picture-rules.js'
import type { ProgramTable } from './program-table.js'
import type { StreamTime } from './stream-time.js'
import { difference33 } from './timestamps.js'

const NONE = -1
/** A unit without a picture within this many packets of the stream is no longer waited for. */
const MAX_HELD_BYTES = 64 * PACKET_SIZE
/**
 * Without video every unit is a random access point, so one cuts only if it is at least this far from the last cut: by
 * PTS, and data, which may have none, by stream time.
 */
const CUT_EVERY_90K = 45_000
const CUT_EVERY_MS = CUT_EVERY_90K / 90

/** By codec; without those of other codecs, whose pictures cannot be read. */
export const PICTURE_RULES: ReadonlyMap<string, PictureRules> = new Map([
  ['h264', H264_RULES],
  ['h265', H265_RULES],
  ['mpeg2video', MPEG2_RULES],
  ['mpeg1video', MPEG2_RULES],
])

export interface RandomAccessStart {
  readonly lead: Lead | undefined
  readonly head: DecoderHead | undefined
  /** End of the packet inside which the picture begins; 0 if it does not. */
  readonly end: number
}

export class RandomAccess {
  /** `note` takes the next packet of `leadPid` even if it has no flags. */
  isReading = false
  /** PID whose units are examined, -1 before PAT and PMT. */
  leadPid = NONE
  /** The packet in which the random access point begins that `note` found last. */
  unit = NONE
  /** What a decoder that starts there lacks. */
  head: DecoderHead | undefined
  readonly #table: ProgramTable
  readonly #time: StreamTime
  readonly #needsSets: boolean
  /** Undefined for audio and data, and for video whose pictures cannot be read. */
  #finder: PictureFinder | undefined
  /** That of the video that led before. When it leads again, its parameter sets may not be sent again. */
  #idle: PictureFinder | undefined
  #lead: Lead | undefined
  /** The run of PAT and PMT packets that ends at #runEnd; it begins with the start of a section. */
  #runStart = NONE
  #runEnd = NONE
  #lastAudioPts = NONE
  #lastDataMs = -Infinity

  /** `needsSets`: a picture counts only if its parameter sets have been seen, so the stream is known from its start. */
  constructor(table: ProgramTable, time: StreamTime, needsSets = true) {
    this.#table = table
    this.#time = time
    this.#needsSets = needsSets
  }

  /** From the next packet on, this track leads. */
  follow(lead: Lead | undefined): void {
    if (lead === this.#lead) return
    const isSame = lead?.pid === this.leadPid && lead.codec === this.#lead?.codec
    this.#lead = lead
    this.leadPid = lead?.pid ?? NONE
    if (!isSame) this.#followLead()
  }

  /**
   * Takes every packet that has flags, and while `isReading` every packet of `leadPid`. Returns the offset at which to
   * cut when it has found a random access point, else -1.
   */
  note(bytes: Uint8Array, offset: number, flags: number): number {
    if ((flags & PSI) !== 0) this.#notePsi(bytes, offset, flags)
    const finder = this.#finder
    if (this.isReading && finder !== undefined) {
      const from = finder.units.holdFrom
      if (from >= 0 && offset - from > MAX_HELD_BYTES) finder.units.giveUp()
    }
    if (readPid(bytes, offset) !== this.leadPid) return NONE
    const boundary = this.#runEnd === offset && this.#runStart >= 0 ? this.#runStart : offset
    if (finder !== undefined) return this.#find(finder, bytes, offset, flags, boundary)
    if ((flags & UNIT_START) === 0 || !this.#isPlainStart(bytes, offset)) return NONE
    this.unit = offset
    this.head = undefined
    return boundary
  }

  /** Offset of the first packet that should wait for the next ones; `end` if there is none. */
  holdFrom(end: number): number {
    const from = this.#finder?.units.holdFrom ?? NONE
    if (from >= 0) return from
    return this.#runEnd === end && this.#runStart >= 0 ? this.#runStart : end
  }

  /** Nothing waits for the picture of the open unit any longer. */
  giveUp(): void {
    this.#finder?.units.giveUp()
  }

  /** Packets are missing before the next ones: parameter sets remain known. */
  skip(): void {
    this.isReading = false
    this.#finder?.pause()
  }

  /** The next packets do not continue the previous ones. */
  reset(): void {
    this.isReading = false
    this.#idle = undefined
    this.#finder = this.#newFinder()
  }

  /** The packets before `cut` have left the buffer. */
  shift(cut: number): void {
    this.#finder?.shift(cut)
    const start = this.#runStart - cut
    this.#runStart = start >= 0 ? start : NONE
    this.#runEnd = start >= 0 ? this.#runEnd - cut : NONE
  }

  #find(finder: PictureFinder, bytes: Uint8Array, offset: number, flags: number, boundary: number): number {
    const isFound = finder.note(bytes, offset, flags, boundary)
    this.isReading = finder.isReading
    if (!isFound) return NONE
    const { found, head } = finder.units
    this.unit = found.packet
    this.head = head
    return found.boundary
  }

  #notePsi(bytes: Uint8Array, offset: number, flags: number): void {
    if (!this.#table.isPatOrPmt(readPid(bytes, offset))) return
    const goesOn = this.#runStart >= 0 && this.#runEnd === offset
    // Half a PMT is of no use at the start of a chunk, and a reader that starts after it already knows all of it.
    if (!goesOn) this.#runStart = (flags & UNIT_START) !== 0 ? offset : NONE
    this.#runEnd = offset + PACKET_SIZE
  }

  #followLead(): void {
    this.isReading = false
    const idle = this.#idle
    if (this.#finder !== undefined) this.#idle = this.#finder
    this.#idle?.pause()
    this.#finder = this.#rules !== undefined && idle?.reads(this.#rules, this.leadPid) ? idle : this.#newFinder()
  }

  get #rules(): PictureRules | undefined {
    return PICTURE_RULES.get(this.#lead?.codec ?? '')
  }

  #newFinder(): PictureFinder | undefined {
    const rules = this.#rules
    return rules === undefined ? undefined : new PictureFinder(rules, this.leadPid, this.#needsSets)
  }

  /** Audio, data, and video that is known by its indicator alone. */
  #isPlainStart(bytes: Uint8Array, offset: number): boolean {
    const media = this.#lead?.media
    if (media === 'data') return this.#isDataCut()
    if (media !== 'audio') return hasRandomAccessIndicator(bytes, offset)
    // A scrambled PES packet has no times that can be read.
    const pts = readPts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
    if (pts < 0) return false
    const step = difference33(pts, this.#lastAudioPts)
    if (this.#lastAudioPts >= 0 && step >= 0 && step < CUT_EVERY_90K) return false
    this.#lastAudioPts = pts
    return true
  }

  #isDataCut(): boolean {
    const { nowMs } = this.#time
    if (nowMs - this.#lastDataMs < CUT_EVERY_MS) return false
    this.#lastDataMs = nowMs
    return true
  }
}
