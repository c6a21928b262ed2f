// Reads the file that is sent to every new viewer before the stream: whole packets (ISO/IEC 13818-1 section 2.4.3.2),
// so that the stream behind it stays packet-aligned.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { httpTsError } from './http-ts-errors.js'

const PACKET_BYTES = 188
const SYNC_BYTE = 0x47
const MAX_BYTES = 16 * 1024 * 1024

/** Throws HTTP_TS_PREAMBLE_UNREADABLE, HTTP_TS_BAD_PREAMBLE. */
export async function readPreamble(path: string): Promise<Uint8Array> {
  const bytes = await readFileUpTo(path, MAX_BYTES + 1).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw httpTsError('HTTP_TS_PREAMBLE_UNREADABLE', `the preamble ${path} cannot be read: ${why}`, { cause })
  })
  const problem = problemOf(bytes)
  if (problem !== undefined) throw httpTsError('HTTP_TS_BAD_PREAMBLE', `the preamble ${path} ${problem}`)
  return bytes
}

function problemOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'is empty'
  if (bytes.length > MAX_BYTES) return `has more than ${MAX_BYTES} bytes`
  if (bytes.length % PACKET_BYTES !== 0) return `has ${bytes.length} bytes, which is not a multiple of ${PACKET_BYTES}`
  for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
    if (bytes[at] !== SYNC_BYTE) return `has no packet at byte ${at}`
  }
  return undefined
}

/** Reads regular files only: a FIFO would never end. */
async function readFileUpTo(path: string, maxBytes: number): Promise<Uint8Array> {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is not a regular file')
    const bytes = new Uint8Array(Math.min(stats.size, maxBytes))
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return bytes.subarray(0, length)
  } finally {
    await file.close()
  }
}
