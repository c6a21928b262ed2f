import { execFileSync } from 'node:child_process'
import { chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { contract } from '@millrace/engine/testing'
import { ffmpegInput } from './input/ffmpeg-input.js'
import { snapshotOutput } from './snapshot/snapshot-output.js'

/** An ffmpeg that writes what the test writes into a pipe: nothing is lost or mended on the way. */
const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
const pipe = join(folder, 'pipe')
execFileSync('mkfifo', [pipe])
writeFileSync(join(folder, 'ffmpeg'), `#!/bin/sh\nwhile :; do cat ${pipe}; done\n`)
chmodSync(join(folder, 'ffmpeg'), 0o755)
process.env['PATH'] = `${folder}:${process.env['PATH'] ?? ''}`
after(() => rmSync(folder, { recursive: true }))

const input = { url: 'film.mkv', cwd: '/' }
contract(ffmpegInput, {
  options: input,
  refused: [
    { ...input, url: '-x' },
    { ...input, inputArgs: ['-i', '/etc/passwd'] },
    { ...input, outputArgs: ['out.ts'] },
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

const output = { listener: 'web', path: '/poster.jpg' }
contract(snapshotOutput, {
  options: output,
  live: { path: '/other.jpg', cors: 'https://tv.example' },
  refused: [
    { ...output, path: 'poster.jpg' },
    { ...output, every: '10ms' },
    { ...output, cors: 'tv.example' },
  ],
  commands: [{ name: 'snapshot', throws: 'SNAPSHOT_NO_KEY_FRAME' }],
})
