import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { knownFailure } from './known-failure.js'
import { readLogLine } from './log-line.js'
import { ProgressReader } from './progress-reader.js'
import type { Progress } from './progress-reader.js'
import { RestartDelay } from './restart-delay.js'

describe('a line of the log of ffmpeg', () => {
  for (const { line, level, text } of [
    { line: '[h264 @ 0x55d0c0a1] [error] no frame!', level: 'error', text: '[h264] no frame!' },
    { line: '[warning] Guessed channel layout', level: 'warn', text: 'Guessed channel layout' },
    { line: '[aac @ 0x1][mpegts @ 0x2] [fatal] x', level: 'info', text: '[aac][mpegts] [fatal] x' },
    { line: '[mpegts @ 0x2] [fatal] x', level: 'error', text: '[mpegts] x' },
    { line: "x264 [error]: invalid preset 'x'", level: 'error', text: "[x264] invalid preset 'x'" },
    { line: 'x265 [warning]: No thread pool', level: 'warn', text: '[x265] No thread pool' },
    { line: 'x265 [full]: x', level: 'debug', text: '[x265] x' },
    { line: 'sh: 1: not found', level: 'info', text: 'sh: 1: not found' },
    { line: '', level: 'info', text: '' },
  ]) {
    test(line, () => assert.deepEqual(readLogLine(line), { level, text }))
  }
})

test('progress is read in any pieces, and what is not understood is ignored', () => {
  const text =
    'frame=12\nfps=24.5\ndrop_frames=3\ndup_frames=1\nout_time_us=1500000\nprogress=continue\njunk\nout_time_us=N/A\nprogress=end\n'
  const bytes = new TextEncoder().encode(text)
  for (const size of [1, 7, 1000]) {
    const said: Progress[] = []
    const reader = new ProgressReader((progress) => void said.push(progress))
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    assert.deepEqual(said, [
      { frames: 12, fps: 24.5, mediaMs: 1500, droppedFrames: 3, duplicatedFrames: 1 },
      { frames: 0, fps: 0, mediaMs: undefined, droppedFrames: 0, duplicatedFrames: 0 },
    ])
  }
})

test('progress without an end of line does not grow', () => {
  const reader = new ProgressReader(() => assert.fail())
  for (let count = 0; count < 1000; count++) reader.push(new Uint8Array(10_000).fill(0x61))
})

describe('the delay before a restart', () => {
  test('is none after work, and grows while nothing works', () => {
    const delay = new RestartDelay()
    assert.equal(delay.next(60_000, 0), 0)
    assert.deepEqual(
      Array.from({ length: 9 }, () => delay.next(0, 0)),
      [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
    )
    assert.equal(delay.next(6000, 1), 0)
    assert.equal(delay.next(0, 1), 250)
  })

  test('comes after five restarts within 10 s, however well each has worked', () => {
    const delay = new RestartDelay()
    const delays = Array.from({ length: 7 }, (_, index) => delay.next(100, index * 100))
    assert.deepEqual(delays, [0, 0, 0, 0, 0, 250, 500])
    assert.equal(delay.next(100, 11_000), 0)
  })
})

test('a limit of encoder sessions is named, though the driver says out of memory', () => {
  const lines = ['[h264_nvenc] OpenEncodeSessionEx failed: out of memory (10)', '[h264_nvenc] No capable devices found']
  const known = knownFailure(lines)
  assert.equal(known?.kind, 'hardware')
  assert.match(known.text, /limit of sessions/)
  assert.equal(knownFailure(['Conversion failed!']), undefined)
  assert.equal(knownFailure(["Unknown encoder 'x'"])?.kind, 'arguments')
})

describe('a wrong value of an option of an encoder is known, whatever the encoder says besides', () => {
  for (const line of [
    '[libx264] Error setting preset/tune fastish/(null).',
    '[libx264] Error setting profile high9.',
    '[libx265] Error setting preset/tune fastish/(null).',
    '[libx265] Invalid or incompatible profile set: main9.',
    '[libx264] invalid level_idc: 99',
    '[h264_nvenc] Unable to parse option value "fastish"',
    '[h264_nvenc] Error setting option preset to value fastish.',
    '[mpeg2video] MPEG-1/2 does not support 90000/1 fps',
    '[mpeg4] timebase 1/90000 not supported by MPEG 4 standard, the maximum admitted value is 65535',
  ]) {
    test(line, () => {
      const lines = [line, 'Error initializing output stream 0:0 -- Error while opening encoder']
      assert.equal(knownFailure(lines)?.kind, 'arguments')
    })
  }

  test('but not where the hardware has failed too', () => {
    const lines = ['[h264_nvenc] Error setting option gpu to value 9.', '[h264_nvenc] No capable devices found']
    assert.equal(knownFailure(lines)?.kind, 'hardware')
  })
})
