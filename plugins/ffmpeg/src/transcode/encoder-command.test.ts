import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { z } from 'zod'
import { ffmpegFlags } from './ffmpeg-flags.test.kit.js'
import { encoderCommand } from './encoder-command.js'
import type { EncoderSource } from './encoder-source.js'
import { renditionsOf } from './rendition.js'
import { transcodeOptions } from './transcode-options.js'

type Given = z.input<typeof transcodeOptions>

const SOURCE: EncoderSource = {
  hasVideo: true,
  audio: [{ slot: 0, language: '' }],
  picture: { width: 1920, height: 1080 },
  pts90k: 180_000,
}

const RATES = [
  '-fps_mode',
  'passthrough',
  '-enc_time_base',
  '1:90000',
  '-b:v',
  '400000',
  '-maxrate:v',
  '500000',
] as const
const FORCED = ['-bufsize:v', '800000', '-g:v', '100000', '-force_key_frames:v', 'source'] as const

function argsOf(given: Given, source: Partial<EncoderSource> = {}): readonly string[] {
  const options = transcodeOptions.parse(given)
  return encoderCommand(options, renditionsOf(options), { ...SOURCE, ...source }, ['ffmpeg']).args
}

/** The values of an option, in order. */
function valuesOf(args: readonly string[], name: string): readonly string[] {
  return args.flatMap((arg, index) => (arg === name ? [args[index + 1] ?? ''] : []))
}

describe('the arguments of the encoder', () => {
  test('have the rates of restreamer-edge with `ladder: edge`', () => {
    const args = argsOf({ renditions: ['240p', '360p', '480p', '720p'], ladder: 'edge' })
    assert.deepEqual(valuesOf(args, '-b:v'), ['256000', '512000', '819000', '2048000'])
    assert.deepEqual(valuesOf(args, '-b:a'), ['64000', '128000', '128000', '192000'])
    assert.deepEqual(new Set(valuesOf(args, '-bufsize:v')), new Set(['500000']))
    assert.deepEqual(new Set(valuesOf(args, '-profile:v')), new Set(['baseline']))
    assert.deepEqual(new Set(valuesOf(args, '-tune:v')), new Set(['zerolatency']))
  })

  test('always set the channels of the sound', () => {
    assert.deepEqual(valuesOf(argsOf({ renditions: { a: {}, b: { channels: 1 } } }), '-ac'), ['2', '1'])
  })

  test('keep the shape of the source, also of one that is not 16 to 9', () => {
    const text = (source: Partial<EncoderSource>): string => {
      return valuesOf(argsOf({ renditions: ['240p'] }, source), '-filter_complex')[0] ?? ''
    }
    assert.match(text({}), /pad=426:240/)
    assert.match(text({ picture: { width: 720, height: 576 } }), /pad=300:240/)
    assert.match(text({ picture: { width: 720, height: 576, sampleAspect: 64 / 45 } }), /pad=426:240/)
    assert.match(text({ picture: { width: undefined, height: undefined } }), /scale=w='[^']*240\*dar[^']*':h='240':/)
  })

  test('of a width alone have the height that follows from the shape of the source', () => {
    const text = (picture: EncoderSource['picture']): string =>
      valuesOf(argsOf({ renditions: { a: { width: 640 } } }, { picture }), '-filter_complex')[0] ?? ''
    assert.match(text({ width: 1920, height: 1080 }), /pad=640:360/)
    assert.match(text({ width: 720, height: 576, sampleAspect: 64 / 45 }), /pad=640:360/)
    assert.match(text({ width: undefined, height: undefined }), /scale=w='[^']*640[^']*':h='[^']*640\/dar[^']*':/)
  })

  test('map what the source has, and nothing else', () => {
    assert.deepEqual(valuesOf(argsOf({ renditions: ['240p'] }, { audio: [] }), '-map'), ['[v0]'])
    const radio = argsOf({ renditions: ['240p'] }, { hasVideo: false })
    assert.deepEqual(valuesOf(radio, '-map'), ['0:i:272'])
    assert.deepEqual(valuesOf(radio, '-filter_complex'), [])
  })

  test('force key frames at multiples of a time of presentation', () => {
    const [first] = valuesOf(argsOf({ renditions: ['240p'], gop: '2s' }, { pts90k: 90_000 * 7 }), '-force_key_frames:v')
    assert.equal(
      first,
      'expr:if(isnan(prev_forced_t),1,not(eq(floor(mod(t+7.001000,95443.717689)/2),floor(mod(prev_forced_t+7.001000,95443.717689)/2))))',
    )
  })

  const inHardware = [
    {
      hardware: 'nvenc',
      codec: 'h264',
      global: [],
      pixels: 'format=yuv420p',
      video: [...RATES, ...FORCED, '-no-scenecut:v', '1', '-forced-idr:v', '1'],
    },
    {
      hardware: 'qsv',
      codec: 'h265',
      global: [],
      pixels: 'format=nv12',
      video: [...RATES, ...FORCED, '-forced_idr:v', '1'],
    },
    {
      hardware: 'vaapi',
      codec: 'h264',
      global: ['-vaapi_device', '/dev/dri/renderD128'],
      pixels: 'format=nv12,hwupload',
      video: [...RATES, ...FORCED],
    },
  ] as const
  for (const { hardware, codec, global, pixels, video } of inHardware) {
    test(`of ${codec} in hardware with ${hardware} are these`, () => {
      const args = argsOf({ renditions: { a: { hardware, codec, height: 240, video: '400kb/s', audioCodec: 'none' } } })
      const graph = `[0:v:0]bwdif=mode=send_frame:parity=auto:deint=interlaced,split=1[s0];[s0]scale=w='if(gt(dar,426/240),426,max(2,round((240*dar)/2)*2))':h='if(gt(dar,426/240),max(2,round((426/dar)/2)*2),240)':eval=frame,pad=426:240:-1:-1:eval=frame,setsar=1,${pixels}[v0]`
      assert.deepEqual(args, [
        ...[...global, '-copyts', '-probesize', '2000000', '-analyzeduration', '1000000'],
        ...['-f', 'mpegts', '-i', 'pipe:0', '-filter_complex', graph, '-map', '[v0]'],
        ...['-map_metadata', '-1', '-map_chapters', '-1', '-sn', '-dn', '-streamid', '0:256'],
        ...['-c:v', `${codec === 'h264' ? 'h264' : 'hevc'}_${hardware}`, ...video],
        ...['-avoid_negative_ts', 'disabled', '-max_interleave_delta', '1000000', '-max_muxing_queue_size', '4096'],
        ...['-muxdelay', '0.2', '-muxpreload', '0', '-mpegts_copyts', '1', '-pes_payload_size', '0'],
        ...['-flush_packets', '1', '-pcr_period', '40', '-f', 'mpegts', 'pipe:3'],
      ])
    })
  }

  test('name the device for VAAPI, and nothing that is more than a device', () => {
    const renditions = { a: { hardware: 'vaapi' } } as const
    for (const device of ['/dev/dri/renderD129', '/dev/dri/by-path/pci-0000:00:02.0-render']) {
      assert.deepEqual(valuesOf(argsOf({ renditions, device }), '-vaapi_device'), [device])
    }
    for (const device of ['/dev/dri/a,driver=x', '/dev/dri/../../etc/passwd', 'renderD129', ':0', '']) {
      assert.equal(transcodeOptions.safeParse({ renditions, device }).success, false, device)
    }
  })

  test('make pictures of fields only where key frames are at times', () => {
    const renditions = ['240p'] as const
    const graph = argsOf({ renditions: [...renditions], gop: '2s', deinterlaceRate: 'field' }).join(' ')
    assert.ok(graph.includes('bwdif=mode=send_field:parity=auto:deint=interlaced'))
    assert.equal(transcodeOptions.safeParse({ renditions, deinterlaceRate: 'field' }).success, false)
    const off = { renditions, gop: '2s', deinterlace: 'off', deinterlaceRate: 'field' }
    assert.match(transcodeOptions.safeParse(off).error?.message ?? '', /must be frame with deinterlace: off/)
  })

  test('take all audio tracks, each on its PID, with languages that are some', () => {
    const audio = [
      { slot: 0, language: 'deu' },
      { slot: 2, language: '-y' },
    ]
    const args = argsOf({ renditions: { a: {}, b: { audioCodec: 'none' } } }, { audio })
    assert.deepEqual(valuesOf(args, '-map'), ['[v0]', '0:i:272', '0:i:274', '[v1]'])
    assert.deepEqual(valuesOf(args, '-streamid'), ['0:256', '1:272', '2:274', '0:256'])
    assert.deepEqual(valuesOf(args, '-metadata:s:a:0'), ['language=deu'])
    assert.deepEqual(valuesOf(args, '-metadata:s:a:1'), [])
  })

  test('leave pictures out without losing a key frame or moving the others', () => {
    const [graph = ''] = valuesOf(argsOf({ renditions: { a: { frameRate: 10 } } }), '-filter_complex')
    assert.match(graph, /select='if\(isnan\(prev_selected_t\),1,key\+gte\(t-prev_selected_t,0\.096000\)\)'/)
  })
})

describe('a rendition', () => {
  const problemOf = (settings: unknown): string => {
    const { error } = transcodeOptions.safeParse({ renditions: { a: settings } })
    return JSON.stringify(error?.issues ?? [])
  }

  test('can be called `length`', () => {
    const settings: unknown = Object.create(null)
    assert.ok(transcodeOptions.safeParse({ renditions: { length: settings } }).success)
  })

  test('with AV1 is refused with the reason', () => {
    assert.match(problemOf({ codec: 'av1' }), /must be one of h264, h265, copy: a transport stream cannot carry AV1/)
    assert.match(problemOf({ encoder: 'libsvtav1' }), /a transport stream can carry/)
  })

  test('cannot name an encoder, and leave the choice to the machine', () => {
    assert.match(problemOf({ encoder: 'h264_nvenc', hardware: 'auto' }), /must not be given with `hardware: auto`/)
    assert.equal(problemOf({ encoder: 'h264_nvenc', hardware: 'nvenc' }), '[]')
  })
})

describe('no configuration', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom(
      '-y',
      '-i',
      '/etc/passwd',
      'out.ts',
      'pipe:1',
      '-f',
      'file:x',
      '-map',
      '-filter_complex',
      '-x',
      '-',
    ),
    fc.constantFrom(
      '-progress',
      '-report',
      '-vstats_file',
      '-dump_attachment:t',
      '-attach',
      '-/b',
      '-b:v',
      'http://h/',
    ),
  )
  const word = fc.oneof({ weight: 5, arbitrary: fc.stringMatching(/^[a-z0-9][a-z0-9:+.-]{0,8}$/) }, text)
  const pair = fc.tuple(fc.stringMatching(/^-[a-z_]{1,8}(:[av])?$/), text)
  const pairs = fc.array(pair, { maxLength: 3 }).map((list) => list.flat())
  const extraArgs = fc.oneof({ weight: 3, arbitrary: pairs }, fc.array(text, { maxLength: 6 }))
  const audioCodec = fc.constantFrom('aac', 'copy', 'none')
  const encoded = fc.record(
    {
      encoder: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('libx264', 'libx265', 'h264_nvenc') }, word),
      profile: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('main', 'high') }, word),
      preset: word,
      tune: word,
      extraArgs,
      codec: fc.constantFrom('h264', 'h265', 'copy'),
      audioCodec,
      height: fc.constantFrom(90, 240),
    },
    { requiredKeys: [] },
  )
  const copied = fc.record({ extraArgs, codec: fc.constant('copy'), audioCodec }, { requiredKeys: ['codec'] })
  /** Settings of one kind, most of them. */
  const settings = fc.oneof({ weight: 4, arbitrary: encoded }, copied)

  test('adds an input, an output or a file to the command of ffmpeg', () => {
    const runs = Number(process.env['FUZZ_RUNS'] ?? 2000)
    let accepted = 0
    const name = fc.oneof(fc.constant('a'), text)
    const audio = fc.array(fc.record({ slot: fc.nat(15), language: text }), { maxLength: 3 })
    fc.assert(
      fc.property(settings, name, text, audio, (given, rendition, image, tracks) => {
        const parsed = transcodeOptions.safeParse({ renditions: { [rendition]: given }, watermark: { image } })
        if (!parsed.success) return
        accepted++
        const { data } = parsed
        const { args } = encoderCommand(data, renditionsOf(data), { ...SOURCE, audio: tracks }, ['ffmpeg'])
        const { inputs, outputs, others } = ffmpegFlags(args)
        const { watermark } = data
        const pictures = given.codec === 'copy' ? [] : [`file:${watermark?.image}`]
        assert.deepEqual([inputs, outputs, others], [['pipe:0', ...pictures], ['pipe:3'], []])
      }),
      { numRuns: runs },
    )
    assert.ok(accepted > 100, `${accepted} were accepted`)
  })
})
