import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TestProcesses } from '@millrace/engine/testing'
import { probeArguments, probeEncoder } from './hardware.js'

const DEVICE = '/dev/dri/renderD129'

const FAILURES = [
  {
    says: '[AVHWDeviceContext @ 0x5] [error] No VA display found for device /dev/dri/renderD128.',
    reason: /^the device for encoding in hardware cannot be opened: .*No VA display/,
  },
  { says: '[h264_nvenc @ 0x5] [error] Cannot load libcuda.so.1', reason: /^there is no graphics card that can encode/ },
  { says: '[error] Error initializing an internal MFX session: unsupported (-3)', reason: /cannot be opened/ },
  { says: 'something else', reason: /something else/ },
]

async function probed(encoder: string, program: readonly string[]): Promise<string | undefined> {
  await using processes = new TestProcesses()
  const { signal } = new AbortController()
  return await probeEncoder({ encoder, hardware: 'none' }, { processes, program, device: DEVICE, signal })
}

describe('an encoder', () => {
  test('works if it encodes a picture', async () => {
    assert.equal(await probed('libx264', ['ffmpeg']), undefined)
  })

  test('does not work if this build of FFmpeg does not have it', async () => {
    assert.match((await probed('h264_of_no_build', ['ffmpeg'])) ?? '', /does not have the encoder|h264_of_no_build/)
  })

  for (const { says, reason } of FAILURES) {
    test(`does not work if it says "${says}"`, async () => {
      assert.match((await probed('h264_nvenc', ['sh', '-c', `echo '${says}' >&2; exit 1`])) ?? '', reason)
    })
  }
})

describe('the arguments with which an encoder is tried', () => {
  const end = ['-frames:v', '1', '-c:v', 'x', '-f', 'mpegts', 'pipe:1']
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', '320x240', '-r', '25', '-i', 'pipe:0']
  const start = ['-hide_banner', '-nostats', '-loglevel', 'error']
  const device = ['-vaapi_device', DEVICE]
  const expected = {
    nvenc: [...start, ...input, '-vf', 'format=yuv420p', ...end],
    qsv: [...start, ...input, '-vf', 'format=nv12', ...end],
    vaapi: [...start, ...device, ...input, '-vf', 'format=nv12,hwupload', ...end],
  } as const
  for (const kind of ['nvenc', 'qsv', 'vaapi'] as const) {
    test(`are those of ${kind}`, () =>
      assert.deepEqual(probeArguments({ encoder: 'x', hardware: kind }, DEVICE), expected[kind]))
  }

  test('have the profile, the preset and the tuning of the rendition, and the pixels that the profile needs', () => {
    const tuning = { profile: 'main10', preset: 'p4', tune: 'hq' }
    const args = probeArguments({ encoder: 'hevc_nvenc', hardware: 'nvenc', ...tuning }, DEVICE)
    const own = ['-c:v', 'hevc_nvenc', '-profile:v', 'main10', '-preset:v', 'p4', '-tune:v', 'hq']
    const rest = ['-vf', 'format=p010le', '-frames:v', '1', ...own, '-f', 'mpegts', 'pipe:1']
    assert.deepEqual(args, [...start, ...input, ...rest])
  })

  test('have the only baseline that VAAPI knows', () => {
    const named = (encoder: string, hardware: 'nvenc' | 'vaapi'): string | undefined => {
      const args = probeArguments({ encoder, hardware, profile: 'baseline' }, DEVICE)
      return args[args.indexOf('-profile:v') + 1]
    }
    assert.equal(named('h264_vaapi', 'vaapi'), 'constrained_baseline')
    assert.equal(named('h264_nvenc', 'nvenc'), 'baseline')
  })
})
