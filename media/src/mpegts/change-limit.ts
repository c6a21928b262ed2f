// How often tables may change: each new version of a PAT or of a PMT is read by every node that follows the stream. Counted
// in packets of tables, so that it depends on the stream and not on when it is read. The reserve is that of one reader: the
// framer begins each generation, which may be a short loop, with a full one.

/** Every table that repeats unchanged earns changes for the next time. */
const PACKETS_PER_CHANGE = 32
/** All the tables of a large stream come at once when it begins. */
const MOST_IN_RESERVE = 512

export class ChangeLimit {
  #reserve = MOST_IN_RESERVE

  /** A packet with a table, or a part of one. */
  notePacket(): void {
    if (this.#reserve < MOST_IN_RESERVE) this.#reserve += 1 / PACKETS_PER_CHANGE
  }

  /** A new version may take effect; if not, it does when the table is repeated. */
  take(): boolean {
    if (this.#reserve < 1) return false
    this.#reserve--
    return true
  }
}
