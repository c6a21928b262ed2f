// The parameter sets in force of the video that leads, as they came at its random access points: what a decoder lacks that
// starts at any other picture.
import type { DecoderHead, Lead, TsChunk } from './chunk.js'
import { concat } from './concat.js'
import { MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, RANDOM_ACCESS, SCRAMBLED, UNIT_START } from './marks.js'
import { PACKET_SIZE, payloadOffset } from './packet.js'
import { ParameterSetStore } from './parameter-set-store.js'
import { readDts, readPts } from './pes.js'
import { EXTENSION, PARAMETER_SET, PICTURE } from './picture-rules.js'
import type { PictureRules } from './picture-rules.js'
import { PICTURE_RULES } from './random-access.js'
import { nextStartCode, START_CODE_SIZE } from './start-code.js'
import { collectUnit } from './track-follower.js'

/** Parameter sets are at the start of an access unit; no more of it than this is read. */
const MAX_ACCESS_UNIT_BYTES = 8 * 1024

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

  /**
   * Takes each chunk. Only one that begins at a random access point is read; with `searchesAll`, as long as sets are missing,
   * all of them.
   */
  follow(chunk: TsChunk, searchesAll: boolean): void {
    const { lead, head, randomAccess } = chunk
    if (lead?.media !== 'video') return
    if (lead.pid !== this.#pid || lead.codec !== this.#codec) this.#expect(lead)
    if (!randomAccess && !(searchesAll && this.#isLacking)) return
    if (randomAccess && head?.pid === lead.pid) this.#read(head.elementary, head.elementary.length, !head.startsInside)
    this.#readUnits(chunk, lead)
  }

  /** What a decoder lacks that starts with the unit in the packet at `offset`; undefined if no sets are known. */
  headFor(lead: Lead | undefined, bytes: Uint8Array, offset: number): DecoderHead | undefined {
    if (lead === undefined || lead.pid !== this.#pid || lead.codec !== this.#codec) return undefined
    const elementary = this.#elementary()
    if (elementary.length === 0) return undefined
    const [payload, end] = [payloadOffset(bytes, offset), offset + PACKET_SIZE]
    const times = { pts90k: readPts(bytes, payload, end), dts90k: readDts(bytes, payload, end) }
    return { pid: lead.pid, elementary, startsInside: false, ...times }
  }

  get #isLacking(): boolean {
    return this.#rules !== undefined && !this.#store.hasAll(this.#rules)
  }

  /** Of a chunk that begins at a random access point, only that one. */
  #readUnits({ bytes, marks, randomAccess }: TsChunk, lead: Lead): void {
    const wanted = randomAccess ? UNIT_START | RANDOM_ACCESS : UNIT_START
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]! & (wanted | SCRAMBLED)
      if (marks[at + MARK_PID] !== lead.pid || flags !== wanted) continue
      this.#read(this.#unit, collectUnit(bytes, marks[at + MARK_OFFSET]!, lead, this.#unit), false)
      if (randomAccess) return
    }
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
