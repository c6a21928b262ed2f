// PAT and PMTs as they are written anew. A receiver reads a table again only when its version changes (ISO/IEC 13818-1
// 2.4.4.5, 2.4.4.9): a version is that of the input at first, and one more with each change of what is written.
import { PACKET_SIZE, packetise, PAT_PID, PID_COUNT, renderPat, renderPmt } from '@millrace/media/mpegts'
import type { Pat, Pmt } from '@millrace/media/mpegts'

interface Written {
  readonly version: number
  /** With version 0, for comparison. */
  readonly plain: Uint8Array
  readonly section: Uint8Array
}

export class WrittenTables {
  /** By program; the PAT under 0. Those that are gone stay, so that a table that comes back has a version of its own. */
  readonly #written: Map<number, Written> = new Map()
  readonly #counters = new Uint8Array(PID_COUNT)
  #pat: Uint8Array | undefined
  /** The PAT says something new, and was not written since. */
  isPatDue = false
  #pmts: ReadonlyMap<number, readonly Uint8Array[]> = new Map()

  /** `before`: whose versions and counters go on; it may go on too. */
  constructor(before?: WrittenTables) {
    if (before === undefined) return
    this.#written = new Map(before.#written)
    this.#counters.set(before.#counters)
    this.#pat = before.#pat
    this.isPatDue = before.isPatDue
    this.#pmts = before.#pmts
  }

  /** What is written now, PAT first: the very same bytes as long as a table does not change. */
  get sections(): readonly { readonly pid: number; readonly bytes: Uint8Array }[] {
    const pat = this.#pat === undefined ? [] : [{ pid: PAT_PID, bytes: this.#pat }]
    return [...pat, ...[...this.#pmts].flatMap(([pid, all]) => all.map((bytes) => ({ pid, bytes })))]
  }

  /** The counter of the last packet of a PID, where somebody else has written until now. */
  follow(pid: number, counter: number): void {
    this.#counters[pid] = (counter + 1) & 0x0f
  }

  /** What is to be written from now on. */
  set(pat: Pat | undefined, pmts: ReadonlyMap<number, readonly Pmt[]>): void {
    const before = this.#pat
    this.#pat =
      pat === undefined ? undefined : this.#render(0, pat.version, (version) => renderPat({ ...pat, version }))
    if (this.#pat !== before) this.isPatDue = this.#pat !== undefined
    this.#pmts = new Map(
      [...pmts].map(([pid, each]) => [
        pid,
        each.map((pmt) => this.#render(pmt.program, pmt.version, (version) => renderPmt({ ...pmt, version }))),
      ]),
    )
  }

  /** The packets of the tables of a PID, counters going on from the ones before. */
  packetsOf(pid: number): readonly Uint8Array[] {
    if (pid === PAT_PID) this.isPatDue = false
    const sections = pid === PAT_PID ? [this.#pat].filter((pat) => pat !== undefined) : (this.#pmts.get(pid) ?? [])
    return sections.map((section) => {
      const packets = packetise(section, pid, this.#counters[pid]!)
      this.#counters[pid] = (this.#counters[pid]! + packets.length / PACKET_SIZE) & 0x0f
      return packets
    })
  }

  #render(key: number, version: number, render: (version: number) => Uint8Array): Uint8Array {
    const plain = render(0)
    const before = this.#written.get(key)
    if (before !== undefined && Buffer.compare(before.plain, plain) === 0) return before.section
    const next = before === undefined ? version : (before.version + 1) & 0x1f
    const section = render(next)
    this.#written.set(key, { version: next, plain, section })
    return section
  }
}
