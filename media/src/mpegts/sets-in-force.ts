// The parameter sets in force of the video that leads: what a decoder lacks that starts at a picture that is no random
// access point.
import type { DecoderHead, Lead, TsChunk } from './chunk.js'
import { concat } from './concat.js'
import { MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, RANDOM_ACCESS, SCRAMBLED, UNIT_START } from './marks.js'
import { isScrambled, PACKET_SIZE, payloadOffset } from './packet.js'
import { ParameterSetStore } from './parameter-set-store.js'
import { pesHeaderEnd, readDts, readPts } from './pes.js'
import { EXTENSION, PARAMETER_SET, PICTURE } from './picture-rules.js'
import type { PictureRules } from './picture-rules.js'
import { PICTURE_RULES } from './random-access.js'
import { nextStartCode, START_CODE_SIZE } from './start-code.js'
import { collectUnit } from './track-follower.js'

/** Parameter sets are at the start of an access unit; no more of it than this is read. */
const MAX_ACCESS_UNIT_BYTES = 8 * 1024
/** So many units of a chunk are read beyond their first packet: what a damaged stream costs is bounded. */
const MAX_UNITS_READ = 4

/** The sets, for another instance that continues with the same stream. Immutable. */
export interface StoredSets {
  readonly pid: number
  readonly codec: string
  readonly elementary: Uint8Array
}

export class SetsInForce {
  readonly #unit = new Uint8Array(MAX_ACCESS_UNIT_BYTES)
  #store = new ParameterSetStore()
  #pid = -1
  #codec = ''
  #rules: PictureRules | undefined

  /** `before`: by default none are known. */
  constructor(before?: StoredSets) {
    if (before === undefined) return
    this.#expect(before)
    this.#read(before.elementary, before.elementary.length, true)
  }

  /** A copy. */
  stored(): StoredSets {
    return { pid: this.#pid, codec: this.#codec, elementary: this.#elementary() }
  }

  /** Takes each chunk. With `searchesAll`, sets are read wherever they come, else at random access points alone. */
  follow(chunk: TsChunk, searchesAll: boolean): void {
    const { lead, head, randomAccess } = chunk
    if (lead?.media !== 'video') return
    if (lead.pid !== this.#pid || lead.codec !== this.#codec) this.#expect(lead)
    if (randomAccess && head?.pid === lead.pid) this.#read(head.elementary, head.elementary.length, !head.startsInside)
    if (randomAccess || searchesAll) this.#readUnits(chunk, lead, searchesAll)
  }

  /**
   * What a decoder lacks that starts with the unit in the packet at `offset`: the sets in force that the unit does not
   * bring. Undefined if there are none. `follow` takes the chunk of the unit afterwards.
   */
  headFor(lead: Lead | undefined, bytes: Uint8Array, offset: number): DecoderHead | undefined {
    if (lead === undefined || lead.pid !== this.#pid || lead.codec !== this.#codec) return undefined
    this.#store.beginUnit()
    if (!isScrambled(bytes, offset)) this.#readUnit(bytes, offset, lead)
    const elementary = concat(this.#store.missing())
    if (elementary.length === 0) return undefined
    const [payload, end] = [payloadOffset(bytes, offset), offset + PACKET_SIZE]
    const times = { pts90k: readPts(bytes, payload, end), dts90k: readDts(bytes, payload, end) }
    return { pid: lead.pid, elementary, startsInside: false, ...times }
  }

  /** The unit of the random access point at which the chunk begins; with `searchesAll`, also those that bring sets. */
  #readUnits({ bytes, marks, randomAccess }: TsChunk, lead: Lead, searchesAll: boolean): void {
    let isEntryMissing = randomAccess
    let left = MAX_UNITS_READ
    for (let at = 0; at < marks.length && left > 0; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      if (marks[at + MARK_PID] !== lead.pid || (flags & (UNIT_START | SCRAMBLED)) !== UNIT_START) continue
      const offset = marks[at + MARK_OFFSET]!
      const isEntry = isEntryMissing && (flags & RANDOM_ACCESS) !== 0
      if (!isEntry && !(searchesAll && this.#mayBringSets(bytes, offset))) continue
      this.#readUnit(bytes, offset, lead)
      left--
      if (isEntry) isEntryMissing = false
      if (isEntry && !searchesAll) return
    }
  }

  /** By the first packet of the unit: its picture does not begin there, or sets come first. */
  #mayBringSets(bytes: Uint8Array, offset: number): boolean {
    const rules = this.#rules
    if (rules === undefined) return false
    const end = offset + PACKET_SIZE
    let at = nextStartCode(bytes, pesHeaderEnd(bytes, payloadOffset(bytes, offset), end), end)
    while (at >= 0) {
      const kind = rules.kindOf(bytes[at]!)
      if (kind === PICTURE || kind === PARAMETER_SET) return kind === PARAMETER_SET
      at = nextStartCode(bytes, at, end)
    }
    return true
  }

  #readUnit(bytes: Uint8Array, offset: number, lead: Lead): void {
    this.#read(this.#unit, collectUnit(bytes, offset, lead, this.#unit), false)
  }

  #expect({ pid, codec }: Pick<Lead, 'pid' | 'codec'>): void {
    this.#pid = pid
    this.#codec = codec
    this.#rules = PICTURE_RULES.get(codec)
    this.#store = new ParameterSetStore()
  }

  #elementary(): Uint8Array {
    this.#store.beginUnit()
    return concat(this.#store.missing())
  }

  /** The sets before the first picture. `isWhole`: the last unit is complete. */
  #read(bytes: Uint8Array, end: number, isWhole: boolean): void {
    const rules = this.#rules
    if (rules === undefined) return
    this.#store.beginUnit()
    let at = nextStartCode(bytes, 0, end)
    while (at >= 0) {
      const kind = rules.kindOf(bytes[at]!)
      if (kind === PICTURE) return
      const next = nextStartCode(bytes, at, end)
      if (next < 0 && !isWhole) return
      if (kind === PARAMETER_SET || kind === EXTENSION) {
        let stop = next < 0 ? end : next - START_CODE_SIZE
        while (stop > at && bytes[stop - 1] === 0) stop--
        this.#store.put(rules, bytes.subarray(at, stop), stop - at)
      }
      at = next
    }
  }
}
