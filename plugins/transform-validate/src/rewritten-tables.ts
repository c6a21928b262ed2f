// The rewritten PAT and PMTs. A receiver reads a table again only when its version changes (ISO/IEC 13818-1 2.4.4.5,
// 2.4.4.9): the version starts as that of the input, and increases with each change of the rewritten contents.
import { PACKET_SIZE, packetise, PAT_PID, PID_COUNT, renderPat, renderPmt } from '@millrace/media/mpegts'
import type { Pat, Pmt } from '@millrace/media/mpegts'

interface Written {
  readonly version: number
  /** With version 0, for comparison. */
  readonly plain: Uint8Array
  readonly section: Uint8Array
}

export class RewrittenTables {
  /** By program; the PAT under 0. Removed tables stay here, so that a table that returns gets a new version. */
  readonly #written: Map<number, Written> = new Map()
  readonly #counters = new Uint8Array(PID_COUNT)
  #pat: Uint8Array | undefined
  /** The PAT has changed and has not been written since. */
  isPatDue = false
  #pmts: ReadonlyMap<number, readonly Uint8Array[]> = new Map()

  /** `before`: its versions and counters are continued. It is copied, so it can continue too. */
  constructor(before?: RewrittenTables) {
    if (before === undefined) return
    this.#written = new Map(before.#written)
    this.#counters.set(before.#counters)
    this.#pat = before.#pat
    this.isPatDue = before.isPatDue
    this.#pmts = before.#pmts
  }

  /** The current sections, PAT first: the same byte arrays as long as a table does not change. */
  get sections(): readonly { readonly pid: number; readonly bytes: Uint8Array }[] {
    const pat = this.#pat === undefined ? [] : [{ pid: PAT_PID, bytes: this.#pat }]
    return [...pat, ...[...this.#pmts].flatMap(([pid, all]) => all.map((bytes) => ({ pid, bytes })))]
  }

  /** Sets the counter of the last packet of a PID that was not written by this object. */
  follow(pid: number, counter: number): void {
    this.#counters[pid] = (counter + 1) & 0x0f
  }

  /** Sets the tables to write from now on. */
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

  /** The packets of the tables of a PID, with continued counters. */
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
