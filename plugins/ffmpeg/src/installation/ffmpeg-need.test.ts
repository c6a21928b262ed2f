import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import type { AskProgram } from '@millrace/engine/plugin'
import { requireFfmpeg } from './ffmpeg-need.js'

const askInstalled: AskProgram = (args) =>
  new Promise((resolve) => {
    execFile('ffmpeg', [...args], { maxBuffer: 8e6 }, (error, stdout) => resolve(error ? undefined : stdout))
  })

test('the installed FFmpeg has what the nodes need, and lacks what nobody has', async () => {
  const [need] = requireFfmpeg({
    encoders: ['libx264', 'libx265', 'mpeg2video', 'aac', 'mp2', 'ac3', 'mjpeg', 'libwebp', 'nothing-like-it'],
    decoders: ['h264', 'hevc'],
    filters: ['scale', 'yadif', 'setsar', 'nor-this'],
    muxers: ['mpegts'],
    demuxers: ['mpegts', 'lavfi'],
  })
  assert.equal(need?.program, 'ffmpeg')
  assert.match(need.install ?? '', /apt-get install ffmpeg/)
  const report = await need.examine?.(askInstalled)
  assert.match(report?.version ?? '', /^\S+$/)
  assert.deepEqual(
    report?.lacks.map(({ what }) => what),
    ['has no encoder nothing-like-it', 'has no filter nor-this'],
  )
})

test('a program that is not FFmpeg is said to be none, and an old one is warned of', async () => {
  const [need] = requireFfmpeg({ encoders: ['aac'] })
  const other = await need?.examine?.(() => Promise.resolve(undefined))
  assert.match(other?.lacks[0]?.what ?? '', /does not say which version/)
  const old = await need?.examine?.(([, list]) =>
    Promise.resolve(list === '-version' ? 'ffmpeg version 4.1-static Copyright' : ' A....D aac   AAC'),
  )
  assert.deepEqual(old?.lacks, [])
  assert.match(old?.remarks?.[0] ?? '', /4\.1-static is old/)
})
