// Splits a stream into packets, and leaves out those that are not compared.
const SIZE = 188
const PAT_PID = 0
const NULL_PID = 0x1fff

/** PIDs that are left out. */
export type ExcludedPids = ReadonlySet<number>

/** For pipelines that pass everything: leaves out only stuffing, which preambles consist of. */
export const EXCLUDED_WHEN_EXACT: ExcludedPids = new Set([NULL_PID])
/** For pipelines that may select PIDs: tables are rewritten, and the second audio track may be missing. */
export const EXCLUDED_WHEN_SELECTED: ExcludedPids = new Set([PAT_PID, 0x1000, 0x102, NULL_PID])

export class PacketSplitter {
  readonly #excluded: ExcludedPids
  #rest = Buffer.alloc(0)

  constructor(excluded: ExcludedPids) {
    this.#excluded = excluded
  }

  /** Copies the bytes; the stream must be packet-aligned from its first byte. */
  take(bytes: Uint8Array): Buffer[] {
    const all = Buffer.concat([this.#rest, bytes])
    const whole = all.length - (all.length % SIZE)
    this.#rest = all.subarray(whole)
    const packets: Buffer[] = []
    for (let at = 0; at < whole; at += SIZE) {
      const pid = all.readUInt16BE(at + 1) & 0x1fff
      if (!this.#excluded.has(pid)) packets.push(all.subarray(at, at + SIZE))
    }
    return packets
  }
}
