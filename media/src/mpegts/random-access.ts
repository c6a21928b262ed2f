// Decides where chunks are cut: finds the random access points of one program among the packets of a framer, by
// random_access_indicator or by the first picture of the unit, and where the PAT and PMT before them begin.
import { PSI, SCRAMBLED, TRANSPORT_ERROR, UNIT_START } from './marks.js'
import { hasRandomAccessIndicator, PACKET_SIZE, payloadOffset, readPid } from './packet.js'
import { readPts } from './pes.js'
import { PictureFinder } from './picture-finder.js'
import { NOT_RANDOM_ACCESS, RANDOM_ACCESS_PICTURE, UNDECIDED } from './picture.js'
import type { Program, ProgramTable } from './program-table.js'
import { difference33 } from './timestamps.js'

const NONE = -1
/** A unit without a picture within this many packets of the stream is no longer waited for. */
const MAX_HELD_BYTES = 64 * PACKET_SIZE
/**
 * Audio only: every unit is a random access point, so one cuts only if its PTS is at least this far from the last cut.
 */
const AUDIO_CUT_90K = 45_000

export class RandomAccess {
  /** A unit has begun and is not classified yet. */
  isOpen = false
  /** PID whose units are examined, -1 before PAT and PMT. */
  leadPid = NONE
  /** Offset of the unit that `note` found last. */
  unit = NONE
  readonly #table: ProgramTable
  readonly #program: number | undefined
  readonly #finder = new PictureFinder()
  #lead: Program | undefined
  #seenChanges = NONE
  /** Where to cut if the open unit is a random access point. */
  #boundary = NONE
  /** The run of PAT and PMT packets that ends at #runEnd; it begins with the start of a section. */
  #runStart = NONE
  #runEnd = NONE
  #lastAudioPts = NONE

  constructor(table: ProgramTable, program: number | undefined) {
    this.#table = table
    this.#program = program
  }

  /**
   * Takes every packet that has flags, and while a unit is open every packet of `leadPid`. Returns the offset at which
   * to cut when it has found a random access point, else -1.
   */
  note(bytes: Uint8Array, offset: number, flags: number): number {
    if ((flags & PSI) !== 0) this.#notePsi(bytes, offset, flags)
    if (this.isOpen && offset - this.unit > MAX_HELD_BYTES) this.giveUp()
    const pid = readPid(bytes, offset)
    if (pid !== this.leadPid) return NONE
    if ((flags & UNIT_START) !== 0) return this.#noteUnit(bytes, offset, (flags & SCRAMBLED) !== 0)
    if ((flags & (SCRAMBLED | TRANSPORT_ERROR)) !== 0) return NONE
    return this.isOpen ? this.#decide(this.#finder.more(this.#codec, bytes, offset)) : NONE
  }

  /** Offset of the first packet that should wait for the next ones; `end` if there is none. */
  holdFrom(end: number): number {
    if (this.isOpen) return this.#boundary
    return this.#runEnd === end && this.#runStart >= 0 ? this.#runStart : end
  }

  /** The open unit does not count as a random access point. */
  giveUp(): void {
    this.isOpen = false
    this.#boundary = NONE
  }

  /** The packets before `cut` have left the buffer. */
  shift(cut: number): void {
    if (this.isOpen) {
      this.unit -= cut
      this.#boundary -= cut
    }
    const start = this.#runStart - cut
    this.#runStart = start >= 0 ? start : NONE
    this.#runEnd = start >= 0 ? this.#runEnd - cut : NONE
  }

  get #codec(): string {
    return this.#lead?.leadTrack?.codec ?? ''
  }

  #notePsi(bytes: Uint8Array, offset: number, flags: number): void {
    if (this.#table.changes !== this.#seenChanges) {
      this.#seenChanges = this.#table.changes
      const lead = this.#table.select(this.#program)
      if (lead?.leadPid !== this.leadPid || lead.leadTrack?.codec !== this.#codec) this.giveUp()
      this.#lead = lead
      this.leadPid = lead?.leadPid ?? NONE
    }
    if (!this.#table.isPatOrPmt(readPid(bytes, offset))) return
    const goesOn = this.#runStart >= 0 && this.#runEnd === offset
    // Half a PMT is of no use at the start of a chunk, and a reader that starts after it already knows all of it.
    if (!goesOn) this.#runStart = (flags & UNIT_START) !== 0 ? offset : NONE
    this.#runEnd = offset + PACKET_SIZE
  }

  #noteUnit(bytes: Uint8Array, offset: number, isScrambled: boolean): number {
    this.unit = offset
    this.#boundary = this.#runEnd === offset && this.#runStart >= 0 ? this.#runStart : offset
    this.isOpen = true
    const isAudio = this.#lead?.leadTrack?.media === 'audio'
    if (!isAudio && hasRandomAccessIndicator(bytes, offset)) return this.#decide(RANDOM_ACCESS_PICTURE)
    // In a scrambled unit only the indicator can be read.
    if (isScrambled) return this.#decide(NOT_RANDOM_ACCESS)
    if (isAudio) return this.#decide(this.#isAudioCut(bytes, offset))
    return this.#decide(this.#finder.begin(this.#codec, bytes, offset))
  }

  #isAudioCut(bytes: Uint8Array, offset: number): number {
    const pts = readPts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
    if (pts < 0) return NOT_RANDOM_ACCESS
    const step = difference33(pts, this.#lastAudioPts)
    if (this.#lastAudioPts >= 0 && step >= 0 && step < AUDIO_CUT_90K) return NOT_RANDOM_ACCESS
    this.#lastAudioPts = pts
    return RANDOM_ACCESS_PICTURE
  }

  #decide(decision: number): number {
    if (decision === UNDECIDED) return NONE
    const boundary = this.#boundary
    this.giveUp()
    return decision === RANDOM_ACCESS_PICTURE ? boundary : NONE
  }
}
