// The end of a generation: PES packets that broke off are dropped if they have not been sent yet. If they were kept,
// receivers would report them as corrupt.
import type { TsChunk } from './chunk.js'
import { withoutPackets } from './edit-chunk.js'
import { MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, UNIT_START } from './marks.js'
import { hasPayload, hasStuffing, PACKET_SIZE, payloadOffset, readPid } from './packet.js'
import { isPesStart, pesPacketLength } from './pes.js'
import type { ProgramTable } from './program-table.js'

/** packet_start_code_prefix, stream_id, PES_packet_length: not counted by PES_packet_length. */
const PES_FIXED = 6

/**
 * The last chunk of a generation without the PES packets that begin in it and do not end. `isWholeFile`: a PES packet
 * of unspecified length ends with the stream; otherwise with a packet that is stuffed, since muxers stuff where no more
 * bytes follow. Undefined if nothing is left.
 */
export function withoutUnfinished(chunk: TsChunk, table: ProgramTable, isWholeFile: boolean): TsChunk | undefined {
  const lastStarts = new Map<number, number>()
  const { marks, bytes } = chunk
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    const pid = marks[at + MARK_PID]!
    if ((marks[at + MARK_FLAGS]! & UNIT_START) !== 0 && table.isSectionPid[pid] !== 1) {
      lastStarts.set(pid, marks[at + MARK_OFFSET]!)
    }
  }
  const drop = new Uint8Array(bytes.length / PACKET_SIZE)
  for (const [pid, start] of lastStarts)
    if (!isFinished(bytes, start, pid, isWholeFile)) dropFrom(drop, bytes, start, pid)
  return withoutPackets(chunk, drop)
}

function isFinished(bytes: Uint8Array, start: number, pid: number, isWholeFile: boolean): boolean {
  const payload = payloadOffset(bytes, start)
  const end = start + PACKET_SIZE
  if (!isPesStart(bytes, payload, end)) return true
  const length = pesPacketLength(bytes, payload, end)
  if (length <= 0) return isWholeFile || hasStuffing(bytes, lastPacket(bytes, start, pid))
  let missing = length + PES_FIXED
  for (let packet = start; packet < bytes.length && missing > 0; packet += PACKET_SIZE) {
    if (readPid(bytes, packet) === pid) missing -= packet + PACKET_SIZE - payloadOffset(bytes, packet)
  }
  return missing <= 0
}

/** The last one with payload of the unit that begins at `start`, up to the end. */
function lastPacket(bytes: Uint8Array, start: number, pid: number): number {
  let packet = bytes.length - PACKET_SIZE
  while (packet > start && (readPid(bytes, packet) !== pid || !hasPayload(bytes, packet))) packet -= PACKET_SIZE
  return packet
}

function dropFrom(drop: Uint8Array, bytes: Uint8Array, start: number, pid: number): void {
  for (let packet = start; packet < bytes.length; packet += PACKET_SIZE) {
    if (readPid(bytes, packet) === pid) drop[packet / PACKET_SIZE] = 1
  }
}
