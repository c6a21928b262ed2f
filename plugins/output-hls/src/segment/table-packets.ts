// PAT and PMT at the head of segments, in packets. Their counters and versions are our own. Those of one process go on from
// segment to segment; for origins whose readers alternate between them, they follow from the numbers of the segment, so
// that all origins make the same bytes.
import { PACKET_SIZE, packetise, PAT_PID } from '@millrace/media/mpegts'
import type { Numbers } from '../playlist/segment-list.js'
import type { ProgramHead } from './program-head.js'

/** Of the CRC of a table. */
const HASH_BITS = 0x0f

export class TablePackets {
  #patCounter = 0
  #pmtCounter = 0
  /** PMT versions, ISO/IEC 13818-1 2.4.4.9: changed with each change of the table. */
  #version = 0
  #head: ProgramHead | undefined

  /** The next in this process. */
  next(head: ProgramHead): Uint8Array {
    if (this.#head !== undefined && this.#head !== head && !this.#head.equals(head)) {
      this.#version = (this.#version + 1) % 32
    }
    this.#head = head
    const { bytes, patPackets, pmtPackets } = render(head, this.#version, this.#patCounter, this.#pmtCounter)
    this.#patCounter = (this.#patCounter + patPackets) & 0x0f
    this.#pmtCounter = (this.#pmtCounter + pmtPackets) & 0x0f
    return bytes
  }
}

/** Of a segment with these numbers, which has tables only once. Counters jump where numbers do. */
export function numberedTables(head: ProgramHead, { media, discontinuity }: Numbers): Uint8Array {
  const hash = head.pmt(0).at(-1)! & HASH_BITS
  // The next discontinuity has another version, and so has, but for one in 16, another table.
  const version = (hash << 1) | (discontinuity & 1)
  const { pmtPackets } = render(head, version, 0, 0)
  return render(head, version, media & 0x0f, ((media & 0x0f) * pmtPackets) & 0x0f).bytes
}

function render(
  head: ProgramHead,
  version: number,
  patCounter: number,
  pmtCounter: number,
): { readonly bytes: Uint8Array; readonly patPackets: number; readonly pmtPackets: number } {
  const pat = packetise(head.pat(), PAT_PID, patCounter)
  const pmt = packetise(head.pmt(version), head.pmtPid, pmtCounter)
  const bytes = new Uint8Array(pat.length + pmt.length)
  bytes.set(pat)
  bytes.set(pmt, pat.length)
  return { bytes, patPackets: pat.length / PACKET_SIZE, pmtPackets: pmt.length / PACKET_SIZE }
}
