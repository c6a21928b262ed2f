// The options of transform `transcode`.
import { choice, choiceExcept, count, duration, path, rate, size } from '@millrace/engine/plugin'
import { z } from 'zod'
import { faultOfArguments } from '../input/argument-rules.js'
import { faultOfFilters, givenFilters } from './given-filters.js'
import { HARDWARE } from './hardware.js'
import { faultOfNodeArguments } from './node-arguments.js'
import { faultsOfRendition } from './rendition-rules.js'
import { LADDERS, NATIVE, STEP_NAMES } from './ladder.js'

const MOST_RENDITIONS = 16
const MOST_ARGUMENTS = 100
/** Nothing that ffmpeg could take for an option of it. */
const DEVICE = /^\/dev\/dri\/(?!.*\.\.)[\w.:/-]{1,200}$/
/** As a port is called. */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/
/** Names of encoders, profiles and the like: nothing that ffmpeg could take for an option or a file. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}$/

const NO_AV1 = 'a transport stream cannot carry AV1: FFmpeg writes it as private data, which no player reads'
/** Encoders whose pictures a transport stream can carry, and that keep the times of the source to the tick. */
const ENCODER = /^(?:lib(?:x264|openh264|x265|kvazaar)|(?:h264|hevc)_[a-z0-9_]+)$/

const word = (description: string) =>
  z.string().regex(WORD, 'must be a name of ffmpeg').optional().meta({ description, reload: 'swap' })

const even = (description: string) =>
  count({ min: 16, max: 8192 })
    .refine((pixels) => pixels % 2 === 0, 'must be even')
    .optional()
    .meta({ description, reload: 'swap' })

const extraArgs = z
  .array(z.string())
  .max(MOST_ARGUMENTS)
  .superRefine((args, context) => {
    const fault = faultOfArguments(args) ?? faultOfFilters(args) ?? faultOfNodeArguments(args)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
  })
  .optional()
  .meta({
    description:
      'Further options of ffmpeg for this rendition, each followed by its value: `["-x264-params", "ref=3"]`. Filters (`-vf`, `-af`) are chains, behind those of the node. Options, filters and parameters of encoders that read or write files, or add inputs or outputs, are refused; so are those that the node sets: codecs, key frames, the length of the output and its times.',
    reload: 'swap',
  })

const renditionSettings = z
  .strictObject({
    height: even(
      'Height of the picture; the width follows from the shape of the source. By default that of the source.',
    ),
    width: even('Width of the picture. With `height`, a source of another shape gets borders.'),
    frameRate: z.number().min(1).max(240).optional().meta({
      description: 'Most pictures a second: others are left out, but no key frame. By default all of the source.',
      reload: 'swap',
    }),
    video: rate({ min: 16_000, max: 200_000_000 })
      .optional()
      .meta({ description: 'Bit rate of the picture. By default a rate for its height.', reload: 'swap' }),
    maxRate: rate({ min: 16_000, max: 400_000_000 }).optional().meta({
      description: 'Highest bit rate of the picture over two seconds. By default 1.25 times `video`.',
      reload: 'swap',
    }),
    codec: choiceExcept({ av1: NO_AV1 }, 'h264', 'h265', 'copy')
      .optional()
      .meta({ description: 'Codec of the picture; `copy` leaves it as it is.', reload: 'swap' }),
    encoder: word('Encoder of ffmpeg for H.264 or H.265, instead of the one for `codec` and `hardware`.').refine(
      (name) => name === undefined || ENCODER.test(name),
      'must be an encoder of H.264 or H.265, such as libx264: no other makes pictures that a transport stream can carry, with the times of the source',
    ),
    profile: word(
      'Profile of the codec. It also decides the pixels: `main10` and `high10` have 10 bits, `high422` 4:2:2.',
    ),
    preset: word('Preset of the encoder. By default `veryfast`.'),
    tune: word('Tuning of the encoder.'),
    hardware: choice('none', 'auto', ...HARDWARE)
      .optional()
      .meta({
        description:
          'Encodes in hardware, which is tried with one picture at the start. `auto`: in hardware if any works, else in software; what works later is used when ffmpeg is started again for another reason. With another one that does not work, the rendition is left out, and tried again every five minutes. By default in software.',
        reload: 'swap',
      }),
    audio: rate({ min: 8000, max: 1_000_000 })
      .optional()
      .meta({ description: 'Bit rate of the sound.', reload: 'swap' }),
    audioCodec: choice('aac', 'copy', 'none')
      .optional()
      .meta({ description: 'Codec of the sound; `copy` leaves it as it is, `none` leaves it out.', reload: 'swap' }),
    channels: count({ min: 1, max: 8 }).optional().meta({
      description: 'Channels of the sound, whatever the source has at the moment. By default 2.',
      reload: 'swap',
    }),
    extraArgs,
  })
  .refine(({ encoder, hardware }) => hardware !== 'auto' || encoder === undefined, {
    path: ['encoder'],
    message: 'must not be given with `hardware: auto`, which chooses one',
  })
  .superRefine(({ codec, audioCodec, extraArgs = [] }, context) => {
    const { video, audio } = givenFilters(extraArgs)
    const refuse = (what: string): void =>
      context.addIssue({
        code: 'custom',
        path: ['extraArgs'],
        message: `must not filter ${what}, which is not encoded`,
      })
    if (codec === 'copy' && video.length > 0) refuse('the picture')
    if (audioCodec !== undefined && audioCodec !== 'aac' && audio.length > 0) refuse('the sound')
  })

const watermark = z
  .strictObject({
    image: path({ exists: 'required', is: 'file' }).meta({
      description: 'A picture that ffmpeg can read, such as PNG; transparent where it is transparent.',
      reload: 'swap',
    }),
    position: choice('top-right', 'top-left', 'bottom-left', 'bottom-right')
      .default('top-right')
      .meta({ description: 'Corner in which it stands.', reload: 'swap' }),
    margin: count({ max: 1000 }).default(16).meta({ description: 'Pixels between it and the edges.', reload: 'swap' }),
  })
  .optional()
  .meta({ description: 'A picture laid over all encoded renditions, in its own size.', reload: 'swap' })

const names = z
  .array(choice(...STEP_NAMES))
  // Not `min` and `max`: zod asks a map with a rendition of the name `length` for them, too.
  .refine((list) => list.length >= 1 && list.length <= MOST_RENDITIONS, `must have 1 to ${MOST_RENDITIONS} renditions`)
  .refine((list) => new Set(list).size === list.length, 'must not name a rendition twice')

const map = z
  .record(z.string().regex(NAME, 'must be a name like 720p'), renditionSettings)
  .refine((given) => Object.keys(given).length <= MOST_RENDITIONS, `must have at most ${MOST_RENDITIONS} renditions`)

const fields = {
  renditions: z
    .union([names, map])
    .refine(
      (given) => (Array.isArray(given) ? given : Object.keys(given)).some((name) => name !== NATIVE),
      'must have a rendition that is encoded',
    )
    .meta({
      description:
        'A list of `240p`, `360p`, `480p`, `720p`, `1080p` and `native` (the packets of the source, aligned with the others), or a map of names and settings. Each is a port: `enc.720p`.',
      reload: 'swap',
    }),
  ladder: choice(...LADDERS)
    .default('live')
    .meta({
      description: 'Rates behind the names: `live`, ours; `edge`, those of restreamer-edge to the bit.',
      reload: 'swap',
    }),
  gop: z
    .union([z.literal('source'), duration({ min: 200, max: 60_000 })])
    .prefault('source')
    .meta({
      description:
        'Where all renditions have their key frames: where the source has them, or at multiples of a time. There are no others.',
      reload: 'swap',
    }),
  deinterlace: choice('auto', 'on', 'off')
    .default('auto')
    .meta({ description: '`auto`: pictures that are flagged as interlaced.', reload: 'swap' }),
  deinterlaceRate: choice('frame', 'field').default('frame').meta({
    description:
      '`frame`: as many pictures as the source has; `field`: one of each field, 50 a second of 1080i50. Needs a time as `gop`.',
    reload: 'swap',
  }),
  watermark,
  loudness: z.number().min(-70).max(-5).optional().meta({
    description:
      'Loudness of the sound in LUFS, EBU R 128: -23 in Europe. Delays the stream by 3 s. By default it is left as it is.',
    reload: 'swap',
  }),
  device: z
    .string()
    .regex(DEVICE, 'must be a device of Linux, such as /dev/dri/renderD129')
    .default('/dev/dri/renderD128')
    .meta({ description: 'Device for `hardware: vaapi`.', reload: 'swap' }),
  maxDelay: duration({ min: 500, max: 60_000 }).prefault('4s').meta({
    description:
      'How long the stream may wait for an encoder that is too slow; then whole GOPs are dropped. A source that can wait is paused instead.',
    reload: 'live',
  }),
  readTimeout: duration({ max: 600_000 }).prefault('10s').meta({
    description: 'How long an encoder that gets input may give nothing before it is restarted; 0 for ever.',
    reload: 'live',
  }),
  restartEvery: duration({ min: 1000, max: 3_600_000 }).prefault('10s').meta({
    description: 'The encoder is restarted for tracks that come or go at most this often.',
    reload: 'live',
  }),
  niceness: count({ max: 19 })
    .default(0)
    .meta({ description: 'How far other processes go before the encoder, 0 to 19.', reload: 'swap' }),
  maxMemory: size({ min: 64 * 2 ** 20 })
    .prefault('4096MiB')
    .meta({ description: 'An encoder that takes more memory is restarted.', reload: 'swap' }),
}

export const transcodeOptions = z
  .strictObject(fields)
  .refine(({ deinterlaceRate, gop }) => deinterlaceRate === 'frame' || gop !== 'source', {
    path: ['deinterlaceRate'],
    message: 'must be frame unless `gop` is a time, such as 2s: a key frame of the source would become two',
  })
  .refine(({ deinterlaceRate, deinterlace }) => deinterlaceRate === 'frame' || deinterlace !== 'off', {
    path: ['deinterlaceRate'],
    message: 'must be frame with deinterlace: off, which makes no pictures of fields',
  })
  .superRefine(({ renditions, ladder }, context) => {
    if (Array.isArray(renditions)) return
    for (const [name, given] of Object.entries(renditions)) {
      for (const { key, message } of faultsOfRendition(name, given, ladder)) {
        context.addIssue({ code: 'custom', path: ['renditions', name, key], message })
      }
    }
  })

export type RenditionSettings = z.output<typeof renditionSettings>
export type TranscodeOptions = z.output<typeof transcodeOptions>
