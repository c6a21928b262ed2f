// The media initialisation section of a transport stream: PAT and PMT (RFC 8216, 3.2), as a file of its own.
import { createHash } from 'node:crypto'
import { PACKET_SIZE, readPid } from '@millrace/media/mpegts'

/** Of the hash, in hexadecimal. */
const NAME_LENGTH = 16

/** `tables`: the packets of a PAT and a PMT. The same tables give the same bytes, wherever they stood. */
export function initSection(tables: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(tables)
  const counters = new Map<number, number>()
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const pid = readPid(bytes, at)
    const counter = counters.get(pid) ?? 0
    bytes[at + 3] = (bytes[at + 3]! & 0xf0) | counter
    counters.set(pid, (counter + 1) & 0x0f)
  }
  return bytes
}

/** What it is called tells what is in it, so that caches may keep it for ever. */
export function initName(bytes: Uint8Array): string {
  return `init-${createHash('sha256').update(bytes).digest('hex').slice(0, NAME_LENGTH)}.ts`
}
