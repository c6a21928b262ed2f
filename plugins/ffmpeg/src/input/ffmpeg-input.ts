// Input `ffmpeg`: anything that FFmpeg can open.
import { CLOCK, defineInput, PROCESSES } from '@millrace/engine/plugin'
import { requireFfmpeg } from '../installation/ffmpeg-need.js'
import { filtersIn } from './argument-values.js'
import { FfmpegSource } from './ffmpeg-source.js'
import { encodersFor } from './input-arguments.js'
import { INPUT_METRICS } from './input-counters.js'
import { inputOptions } from './input-options.js'
import { isStdin } from './source-kind.js'
import { checkStdin } from './stdin-state.js'

export const ffmpegInput = defineInput({
  type: 'ffmpeg',
  summary:
    'Anything that FFmpeg can open, copied or encoded into a transport stream: a film, a camera, RTSP, HLS, stdin.',
  produces: 'bytes',
  options: inputOptions,
  inject: { clock: CLOCK, processes: PROCESSES },
  metrics: INPUT_METRICS,
  exclusive: ({ url }) => {
    if (isStdin(url)) return [{ kind: 'device', name: 'stdin' }]
    return url.startsWith('/dev/') ? [{ kind: 'device', name: url }] : []
  },
  programs: (options) =>
    requireFfmpeg({
      muxers: ['mpegts'],
      encoders: encodersFor(options),
      filters: [...new Set(filtersIn(options.outputArgs))],
    }),
  examples: [
    { title: 'A film as an endless channel', yaml: 'main: { type: ffmpeg, url: film.mkv, loop: true, audio: aac }' },
    {
      title: 'A camera over RTSP',
      yaml: 'cam: { type: ffmpeg, url: "rtsp://10.0.0.7/stream1", inputArgs: [-rtsp_transport, tcp] }',
    },
    {
      title: 'A webcam with its microphone left out',
      yaml: 'web: { type: ffmpeg, url: /dev/video0, format: v4l2, inputArgs: [-framerate, 30], video: h264, videoRate: 3Mb/s, audio: none }',
    },
    {
      title: 'A test card',
      yaml: 'card: { type: ffmpeg, url: "testsrc2=size=640x360:rate=25", format: lavfi, video: h264, audio: none }',
    },
    {
      title: 'Reads what is piped into the engine, in any format',
      yaml: 'main: { type: ffmpeg, url: "-", format: auto, audio: aac }',
    },
  ],
  open(options$, context, { clock, processes }) {
    if (isStdin(options$.value.url)) checkStdin()
    return new FfmpegSource({ options$, context, clock, processes })
  },
})
