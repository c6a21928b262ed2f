// The options of the input.
import { choice, count, duration, flag, path, programArgument, rate, size, url } from '@millrace/engine/plugin'
import { z } from 'zod'
import { faultOfArguments } from './argument-rules.js'
import { ANY_FORMAT, isEncoded, isStdin, sourceKind } from './source-kind.js'

const MOST_ARGUMENTS = 100
const MOST_MAPS = 32
/** FFmpeg allows GOPs of 600 pictures. */
const MOST_GOP_MPEG2 = 10_000
/** Parameters of URLs, masked wherever the configuration is shown. */
const SECRETS = ['passphrase', 'password', 'token', 'access_token', 'key', 'secret', 'signature', 'sig']
/** Formats whose pictures and sound are not compressed: there is nothing to copy. */
const RAW_FORMATS: ReadonlySet<string> = new Set([
  ...['lavfi', 'v4l2', 'video4linux2', 'x11grab', 'kmsgrab', 'fbdev', 'avfoundation', 'dshow', 'gdigrab', 'decklink'],
  ...['rawvideo', 'alsa', 'pulse', 'sndio', 'jack', 'openal', 'oss'],
])

const argumentList = z
  .array(programArgument(), { error: 'must be a list, [-option, value, ...]: no shell splits a text' })
  .max(MOST_ARGUMENTS)
  .superRefine((args, context) => {
    const fault = faultOfArguments(args)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
  })
  .default([])

const fields = {
  url: url({ secrets: SECRETS, orOther: true })
    .refine((text) => text.length <= 4096, 'must have at most 4096 characters')
    .refine((text) => text === '-' || !text.startsWith('-'), 'must not begin with -: write ./-name for such a file')
    .meta({
      description:
        'What FFmpeg opens: a file, relative to the folder of the YAML file, a URL (`rtsp:`, `https:`, `srt:` ...), a device, or `"-"` for the stdin of the engine. Passwords in it are masked.',
      reload: 'source',
    }),
  format: z
    .string()
    .regex(/^[a-z0-9_]+$/i, 'must be auto, or the name of a format, as `ffmpeg -demuxers` lists it')
    .default(ANY_FORMAT)
    .meta({
      description: 'Format of the source: `v4l2`, `lavfi`, `x11grab` ... `auto`: FFmpeg finds out.',
      reload: 'source',
    }),
  video: choice('copy', 'h264', 'h265', 'mpeg2', 'none').default('copy').meta({
    description: 'The codec of the pictures: as they are (`copy`), encoded, or no pictures.',
    reload: 'source',
  }),
  videoRate: rate({ min: 10_000 }).optional().meta({
    description: 'Bit rate of encoded pictures. By default the encoder chooses it by quality.',
    reload: 'source',
  }),
  gop: duration({ min: 100, max: 60_000 }).prefault('2s').meta({
    description: 'Time between key frames of encoded pictures; there are no others. At most 10 s with `video: mpeg2`.',
    reload: 'source',
  }),
  audio: choice('copy', 'aac', 'mp2', 'ac3', 'none').default('copy').meta({
    description: 'The codec of the sound: as it is (`copy`), encoded, or no sound.',
    reload: 'source',
  }),
  audioRate: rate({ min: 8000 })
    .optional()
    .meta({ description: 'Bit rate of encoded sound. By default 128 kb/s.', reload: 'source' }),
  map: z
    .array(
      z
        .string()
        .regex(/^-?0:[\w:#-]+\??$/, 'must be a stream of the source, such as 0:v:0, 0:a:1? or 0:m:language:eng'),
    )
    .max(MOST_MAPS)
    .default([])
    .meta({
      description:
        "Which streams of the source are taken, as for FFmpeg's `-map`. By default the best video and audio.",
      reload: 'source',
    }),
  loop: flag()
    .default(false)
    .meta({ description: 'A file is read again from its beginning, forever.', reload: 'source' }),
  realtime: z
    .union([choice('auto'), flag()])
    .prefault('auto')
    .meta({
      description:
        'Whether FFmpeg reads the source at its own speed (`-re`), or as fast as it gives and readers take it. `auto`: files, stdin and generated pictures at their own speed.',
      reload: 'source',
    }),
  inputArgs: argumentList.meta({
    description:
      'Further options of FFmpeg for the source, each followed by its value: `[-rtsp_transport, tcp]`. None that read or write other files, apart from certificates and keys for TLS.',
    reload: 'source',
  }),
  outputArgs: argumentList.meta({
    description:
      'Further options for encoders and filters: `[-vf, "scale=-2:720"]`. None that read or write other files.',
    reload: 'source',
  }),
  cwd: path({ exists: 'expected', is: 'folder' }).prefault('.').meta({
    description: 'Working folder of FFmpeg, relative to the folder of the YAML file, which is the default.',
    reload: 'source',
  }),
  restart: choice('auto', 'always', 'on-failure', 'never').default('auto').meta({
    description:
      'When FFmpeg has ended it is started again, after the back-off of the engine: `always`; `on-failure`, unless it has read the source to its end; or `never`. `auto`: `on-failure` for files, else `always`. It never reads stdin twice.',
    reload: 'live',
  }),
  readTimeout: duration().prefault('30s').meta({
    description:
      'If FFmpeg writes nothing for this long it is ended and started again; 0 for never. Time during which readers hold does not count.',
    reload: 'live',
  }),
  niceness: count({ max: 19 })
    .default(0)
    .meta({ description: 'How far other processes go before FFmpeg, 0 to 19.', reload: 'source' }),
  maxMemory: size({ min: 64 * 2 ** 20 })
    .prefault('4096MiB')
    .meta({ description: 'An FFmpeg that takes more memory is ended and started again.', reload: 'source' }),
}

export const inputOptions = z
  .strictObject(fields)
  .superRefine((options, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    const { url, video, audio, loop, videoRate, audioRate, gop } = options
    if (video === 'none' && audio === 'none') refuse('audio', 'must not be none too: nothing would be left')
    if (loop && isStdin(url)) refuse('loop', 'must be false for stdin, which cannot be read again')
    if (loop && sourceKind(options) !== 'file') refuse('loop', 'must be false for what is not a file')
    if (videoRate !== undefined && !isEncoded(video)) refuse('videoRate', `must be left out with video: ${video}`)
    if (audioRate !== undefined && !isEncoded(audio)) refuse('audioRate', `must be left out with audio: ${audio}`)
    if (video === 'mpeg2' && gop > MOST_GOP_MPEG2) refuse('gop', 'must be at most 10s with video: mpeg2')
  })
  .superRefine(({ format, video, audio }, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    if (!RAW_FORMATS.has(format)) return
    if (video === 'copy') refuse('video', `must be a codec, such as h264: ${format} gives raw pictures, or none`)
    if (audio === 'copy') refuse('audio', `must be a codec, such as aac, or none: ${format} gives raw sound, or none`)
  })
  .meta({ instead: { path: 'write `url`: a path, a URL, or `"-"` for stdin' } })

export type InputOptions = z.output<typeof inputOptions>
