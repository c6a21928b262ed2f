import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { contract } from '@millrace/engine/testing'
import { execInput } from './exec-input.js'
import { execOutput } from './exec-output.js'

/** A program whose stdout the test writes. */
const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
const pipe = join(folder, 'pipe')
execFileSync('mkfifo', [pipe])
after(() => rmSync(folder, { recursive: true }))
const input = { command: ['sh', '-c', 'while :; do cat "$0"; done', pipe], cwd: '/' }
contract(execInput, {
  options: input,
  // A shell outlives an interrupted program.
  live: { stopSignal: 'SIGKILL' },
  refused: [
    { ...input, command: 'sleep 1000' },
    { ...input, env: { 'A=B': 'c' } },
  ],
  async send(bytes) {
    const writer = await openWriter()
    try {
      if (writer !== undefined) await writeAll(writer, bytes)
    } finally {
      await writer?.close()
    }
  },
})

/** Undefined if no program reads it for a while. It never blocks: a program may end between any two calls. */
async function openWriter(): Promise<FileHandle | undefined> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const writer = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined)
    if (writer !== undefined) return writer
    await setTimeout(5)
  }
  return undefined
}

/** Waits while the pipe is full; throws when nobody reads it any more. */
async function writeAll(writer: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    try {
      written += (await writer.write(bytes, written)).bytesWritten
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await setTimeout(5)
    }
  }
}

const output = { command: ['cat'], cwd: '/' }
contract(execOutput, {
  options: output,
  // It reads nothing.
  hanging: { command: ['sleep', '1000'] },
  refused: [
    { ...output, command: [] },
    { ...output, command: ['no-such-program'] },
  ],
})
