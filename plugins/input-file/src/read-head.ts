// The first bytes of a file. Why it cannot be read is reported by whoever reads the rest.
import { open } from 'node:fs/promises'
import { HEAD_BYTES } from './other-format.js'

export async function readHead(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } catch {
    return new Uint8Array()
  }
}
