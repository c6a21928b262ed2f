// Where a stream breaks off, the last PES packets are not whole: decoders report them as corrupt. They are left out.
import {
  hasPayload,
  isPesStart,
  isUnitStart,
  PACKET_SIZE,
  payloadOffset,
  pesPacketLength,
  readPid,
} from '@millrace/media/mpegts'

/** packet_start_code_prefix, stream_id, PES_packet_length: ISO/IEC 13818-1 2.4.3.6. */
const PES_FIXED_HEADER = 6

interface OpenUnit {
  /** Number of its first packet. */
  readonly from: number
  /** Bytes that are missing; Infinity if its length is not known. */
  missing: number
}

/** The parts without packets of units that are not whole. Of a unit without a length that is not known, so it goes too. */
export function withoutUnfinished(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const open = findOpenUnits(parts)
  if (open.size === 0) return parts
  const first = Math.min(...Array.from(open.values(), ({ from }) => from))
  const kept: Uint8Array[] = []
  let number = 0
  for (const bytes of parts) {
    const packets = bytes.length / PACKET_SIZE
    if (number + packets <= first) kept.push(bytes)
    else kept.push(...keptPackets(bytes, number, open))
    number += packets
  }
  return kept
}

/** By PID. */
function findOpenUnits(parts: readonly Uint8Array[]): Map<number, OpenUnit> {
  const open = new Map<number, OpenUnit>()
  let number = 0
  for (const bytes of parts) {
    for (let at = 0; at < bytes.length; at += PACKET_SIZE, number++) {
      if (hasPayload(bytes, at)) follow(open, bytes, at, number)
    }
  }
  return open
}

function follow(open: Map<number, OpenUnit>, bytes: Uint8Array, at: number, number: number): void {
  const pid = readPid(bytes, at)
  const payload = payloadOffset(bytes, at)
  const end = at + PACKET_SIZE
  if (isUnitStart(bytes, at)) {
    open.delete(pid)
    // Sections begin otherwise, and are small.
    if (!isPesStart(bytes, payload, end)) return
    const length = pesPacketLength(bytes, payload, end)
    open.set(pid, { from: number, missing: length > 0 ? length + PES_FIXED_HEADER : Infinity })
  }
  const unit = open.get(pid)
  if (unit === undefined) return
  unit.missing -= end - payload
  if (unit.missing <= 0) open.delete(pid)
}

function keptPackets(bytes: Uint8Array, first: number, open: ReadonlyMap<number, OpenUnit>): Uint8Array[] {
  const kept: Uint8Array[] = []
  let from = 0
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const unit = open.get(readPid(bytes, at))
    if (unit === undefined || first + at / PACKET_SIZE < unit.from) continue
    if (at > from) kept.push(bytes.subarray(from, at))
    from = at + PACKET_SIZE
  }
  if (from < bytes.length) kept.push(bytes.subarray(from))
  return kept
}
