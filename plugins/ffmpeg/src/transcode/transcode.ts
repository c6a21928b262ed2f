// Transform `transcode`: encodes a stream again, once or as a ladder of renditions, with ffmpeg.
import { availableParallelism, loadavg } from 'node:os'
import { CLOCK, defineTransform, PROCESSES } from '@millrace/engine/plugin'
import { findFfmpeg, requireFfmpeg } from '../installation/ffmpeg-need.js'
import { filtersOf } from './filters.js'
import { NATIVE } from './ladder.js'
import { renditionNames, renditionsOf } from './rendition.js'
import { TRANSCODE_METRICS } from './transcode-counters.js'
import { transcodeOptions } from './transcode-options.js'
import { Succession } from './succession.js'
import { Transcoder } from './transcoder.js'

/** Processes that run or wait to, per processor. */
const IDLE_SHARE = 0.7

export const transcode = defineTransform({
  type: 'transcode',
  summary: 'Encodes a stream again with FFmpeg: one rendition or a ladder of them, aligned with each other.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  ports: ({ renditions }) => renditionNames(renditions).map((name) => ({ name, kind: 'bytes' as const })),
  makesStream: true,
  options: transcodeOptions,
  inject: { clock: CLOCK, processes: PROCESSES },
  metrics: TRANSCODE_METRICS,
  programs(options) {
    const renditions = renditionsOf(options)
    const encoders = renditions.flatMap(({ codec, encoder, audioCodec }) => [
      ...(codec === 'copy' ? [] : [encoder]),
      ...(audioCodec === 'aac' ? ['aac'] : []),
    ])
    return requireFfmpeg({
      encoders: [...new Set(encoders)],
      filters: filtersOf(options, renditions),
      muxers: ['mpegts'],
      demuxers: ['mpegts'],
    })
  },
  warnings({ renditions, gop }) {
    if (gop === 'source') return []
    const apart = renditionsOf({ renditions, ladder: 'live' }).filter(({ codec }) => codec === 'copy')
    const names = [...apart.map(({ name }) => name), ...(renditionNames(renditions).includes(NATIVE) ? [NATIVE] : [])]
    if (names.length === 0) return []
    return [
      `${names.join(' and ')}: the key frames are those of the source, and not aligned with others at multiples of \`gop\``,
    ]
  },
  examples: [
    {
      title: 'A ladder of three renditions and the source itself',
      yaml: 'enc: { type: transcode, from: main, renditions: [240p, 480p, 720p, native] }',
    },
    {
      title: 'One rendition with settings of its own, with a key frame every 2 s and a logo',
      yaml: [
        'hd:',
        '  type: transcode',
        '  from: main',
        '  renditions: { hd: { height: 1080, video: 5Mb/s, audio: 128kb/s, codec: h264, preset: veryfast } }',
        '  gop: 2s',
        '  watermark: { image: ./logo.png, position: top-left }',
      ].join('\n'),
    },
  ],
  open(options$, context, { clock, processes }, previous) {
    const isIdle = (): boolean => (loadavg()[0] ?? 0) < availableParallelism() * IDLE_SHARE
    const isSameStream = (previous?.inlets.added.length ?? 1) === 0
    const before = isSameStream && previous?.state instanceof Succession ? { before: previous.state } : {}
    return new Transcoder({ options$, context, clock, processes, program: [findFfmpeg(processes)], isIdle, ...before })
  },
})
