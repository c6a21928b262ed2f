import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { inputArguments } from './input-arguments.js'
import { inputOptions } from './input-options.js'

/** Half of its seconds is dark: encoders make key frames of their own where the picture changes. */
const CUTS = `geq=lum='if(gt(mod(N,35),17),255-lum(X,Y),lum(X,Y))':cb='cb(X,Y)':cr='cr(X,Y)'`

/** Seconds from the first key frame to each of them. */
function keyFrames(video: string, gop: string, seconds: number): readonly number[] {
  const url = `testsrc2=size=64x64:rate=25,${CUTS}`
  const given = { url, format: 'lavfi', video, gop, audio: 'none', realtime: false, outputArgs: ['-t', seconds] }
  const args = inputArguments(inputOptions.parse(given))
  const command = ['-v', 'error', '-nostdin', ...args]
  const { status, stdout, stderr } = spawnSync('ffmpeg', command, { maxBuffer: 2 ** 26, timeout: 120_000 })
  assert.equal(status, 0, stderr.toString())
  const show = ['-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0']
  const input = { input: stdout, encoding: 'utf8' } as const
  const packets = execFileSync('ffprobe', ['-v', 'error', '-select_streams', 'v', ...show, '-'], input).split('\n')
  const times = packets.filter((line) => line.includes('K')).map((line) => Number(line.split(',')[0]))
  return times.map((time) => Math.round((time - (times[0] ?? 0)) * 1000) / 1000)
}

describe('encoded pictures have a key frame every `gop`, and no other', () => {
  for (const video of ['h264', 'h265', 'mpeg2'] as const) {
    for (const [gop, seconds, expected] of [
      ['500ms', 2, [0, 0.52, 1, 1.52]],
      ['2s', 7, [0, 2, 4, 6]],
      ['10s', 21, [0, 10, 20]],
    ] as const) {
      test(`${video}, ${gop}`, () => assert.deepEqual(keyFrames(video, gop, seconds), expected))
    }
  }

  test('h264, 20s', () => assert.deepEqual(keyFrames('h264', '20s', 41), [0, 20, 40]))

  test('h265: parameters that are given join those of the node, and others stay where they are', () => {
    const outputArgs = ['-x265-params', 'ref=3', '-bf', '2', '-x265-params:v', 'me=hex']
    const args = inputArguments(inputOptions.parse({ url: 'a.mkv', video: 'h265', outputArgs }))
    const lists = args.filter((_, at) => args[at - 1]?.startsWith('-x265-params'))
    assert.deepEqual(lists, ['scenecut=0:open-gop=0:keyint=-1:log-level=warning:ref=3:me=hex'])
    assert.equal(args[args.indexOf('-bf') + 1], '2')
  })

  test('MPEG-2 has no longer ones than 10 s', () => {
    const { error } = inputOptions.safeParse({ url: 'a.mkv', video: 'mpeg2', gop: '11s' })
    assert.equal(error?.issues[0]?.message, 'must be at most 10s with video: mpeg2')
  })
})
