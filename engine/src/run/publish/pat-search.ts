// Whether bytes are a transport stream: the first PAT, ISO/IEC 13818-1 2.4.4.3, with a right CRC or repeated
// with a wrong one. Null packets alone, and junk, have none.
import { Framer, PAT_PID } from '@millrace/media/mpegts'

export class PatSearch {
  #framer: Framer | undefined

  /** True once a PAT has been seen. */
  push(bytes: Uint8Array, nowMs: number): boolean {
    this.#framer ??= new Framer()
    this.#framer.push(bytes, nowMs)
    for (const { pid } of this.#framer.table.sections.values()) if (pid === PAT_PID) return true
    return false
  }
}
