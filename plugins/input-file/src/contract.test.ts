import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { buildTs, contract } from '@millrace/engine/testing'
import input from './index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
const path = join(folder, 'pipe')
execFileSync('mkfifo', [path])
after(() => rmSync(folder, { recursive: true }))

/** Never waits for a reader, which may have ended. */
async function send(bytes: Uint8Array): Promise<void> {
  const writer = await open(path, constants.O_WRONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    if (codeOf(error) !== 'ENXIO') throw error
  })
  if (writer === undefined) return
  try {
    for (let at = 0; at < bytes.length;) at += await write(writer, bytes.subarray(at))
  } finally {
    await writer.close()
  }
}

/** How much was written: 0 while the pipe is full, all of it if the reader has gone. */
async function write(writer: FileHandle, bytes: Uint8Array): Promise<number> {
  try {
    return (await writer.write(bytes)).bytesWritten
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') return bytes.length
    await setTimeout(1)
    return 0
  }
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code
}

/** A pipe: bytes that a socket brings, and the end of its writer. */
contract(input, {
  options: { path },
  refused: [{ path: '' }],
  send,
  work: () => send(buildTs({ durationS: 1 }).bytes.subarray(0, 188 * 100)),
})

/** A regular file, at the pace of its clock. */
const file = join(folder, 'clip.ts')
writeFileSync(file, buildTs({ durationS: 2 }).bytes)
contract(input, { options: { path: file, loop: true } })
