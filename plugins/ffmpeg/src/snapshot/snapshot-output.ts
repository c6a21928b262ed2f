// Output `snapshot`: a picture of the newest key frame.
import { CLOCK, defineCommand, defineOutput, LISTENERS, PROCESSES } from '@millrace/engine/plugin'
import { z } from 'zod'
import { requireFfmpeg } from '../installation/ffmpeg-need.js'
import { PICTURE_ENCODERS } from './picture-arguments.js'
import { SnapshotNode } from './snapshot-node.js'
import { snapshotOptions } from './snapshot-options.js'

export const snapshotOutput = defineOutput({
  type: 'snapshot',
  summary: 'Serves a picture of the newest key frame, for posters and previews.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  options: snapshotOptions,
  inject: { clock: CLOCK, listeners: LISTENERS, processes: PROCESSES },
  metrics: [
    {
      name: 'snapshot_pictures_total',
      kind: 'counter',
      help: 'Pictures by result: `made`, or `failed` if FFmpeg gave none.',
      labels: ['result'],
    },
  ],
  exclusive: ({ listener, path }) => [{ kind: 'http', listener, path, overPrefix: true }],
  programs: ({ format }) =>
    requireFfmpeg({
      encoders: [PICTURE_ENCODERS[format]],
      filters: ['scale', 'yadif', 'setsar'],
      demuxers: ['mpegts'],
    }),
  commands: {
    snapshot: defineCommand({
      summary: 'Makes a picture of the newest key frame now, and answers when it is served.',
      input: z.strictObject({}),
      run: (node: SnapshotNode) => node.take(),
    }),
  },
  examples: [
    {
      title: 'A poster, new every ten seconds',
      yaml: 'poster: { type: snapshot, from: main, listener: web, path: /one/poster.jpg }',
    },
    {
      title: 'A small preview once a minute, for those who may watch',
      yaml: 'preview: { type: snapshot, from: main, listener: web, path: /one/preview.webp, every: 1m, format: webp, width: 320, auth: viewers }',
    },
  ],
  open(options$, context, { clock, listeners, processes }, previous) {
    return new SnapshotNode({ options$, context, clock, listeners, processes }, previous)
  },
})
