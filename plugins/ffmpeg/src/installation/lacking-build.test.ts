// Builds of FFmpeg that lack a filter, as distributions and minimal images have them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { AskProgram, ProgramNeed } from '@millrace/engine/plugin'
import { ffmpegInput } from '../input/ffmpeg-input.js'
import { transcode } from '../transcode/transcode.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-build-'))
after(() => rmSync(folder, { recursive: true }))

/** The installed FFmpeg, which does not list these filters. */
function without(filters: readonly string[]): AskProgram {
  const file = join(folder, filters.join('-'))
  writeFileSync(file, `#!/bin/sh\nffmpeg "$@" | grep -v -E '^ [A-Z.]{3} (${filters.join('|')}) '\n`)
  chmodSync(file, 0o755)
  return (args) =>
    new Promise((resolve) => {
      execFile(file, [...args], { maxBuffer: 8e6 }, (error, stdout) => resolve(error ? undefined : stdout))
    })
}

const RENDITIONS = { small: { height: 240 } }
const needs = (options: object): readonly ProgramNeed[] =>
  transcode.programs?.(transcode.options.parse({ renditions: RENDITIONS, ...options })) ?? []
const input = (outputArgs: readonly string[]): readonly ProgramNeed[] =>
  ffmpegInput.programs?.(ffmpegInput.options.parse({ url: 'film.mkv', video: 'h264', outputArgs })) ?? []

describe('a build of FFmpeg is refused if it lacks', () => {
  for (const { name, of, filters, lacks } of [
    { name: 'the deinterlacer, which is on by default', of: needs({}), filters: ['bwdif'], lacks: ['bwdif'] },
    { name: 'no filter that is used', of: needs({ deinterlace: 'off' }), filters: ['bwdif', 'loudnorm'], lacks: [] },
    { name: 'what measures loudness', of: needs({ loudness: -23 }), filters: ['loudnorm'], lacks: ['loudnorm'] },
    {
      name: 'what measures loudness, where only sound is encoded',
      of: needs({ renditions: { same: { codec: 'copy' } }, loudness: -23 }),
      filters: ['loudnorm', 'bwdif'],
      lacks: ['loudnorm'],
    },
    {
      name: 'a filter of further options',
      of: needs({ renditions: { small: { codec: 'copy', extraArgs: ['-filter:a', 'volume=2,atempo=1'] } } }),
      filters: ['volume', 'atempo', 'scale'],
      lacks: ['volume', 'atempo'],
    },
    {
      name: 'a filter that the arguments of an input name',
      of: input(['-vf', 'yadif,scale=-2:720', '-crf', '20']),
      filters: ['yadif', 'bwdif'],
      lacks: ['yadif'],
    },
  ]) {
    test(name, async () => {
      const report = await of[0]?.examine?.(without(filters))
      assert.deepEqual(
        report?.lacks.map(({ what }) => what),
        lacks.map((filter) => `has no filter ${filter}`),
      )
      for (const { help } of report?.lacks ?? []) assert.match(help, /install a build of FFmpeg that has it/)
    })
  }
})
