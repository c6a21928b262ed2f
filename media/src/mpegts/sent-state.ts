// What a timeline has sent so far, which the next generation must follow.
import type { ProgramTable } from './program-table.js'
import type { StreamClocks } from './stream-clocks.js'

/** Counter of a PID that has sent nothing. */
export const UNSEEN_COUNTER = 0xff

export interface SentState {
  readonly table: ProgramTable
  readonly clocks: StreamClocks
  /** continuity_counter of the last packet of each PID, or UNSEEN_COUNTER. */
  readonly counters: Uint8Array
  /**
   * Where units were cut off at the end of a generation, the last PCR that was sent of each PID: `clocks` also has those
   * that were cut off.
   */
  pcrs: ReadonlyMap<number, number> | undefined
}
