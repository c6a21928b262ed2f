// Input `exec`: a transport stream that a program writes to its stdout.
import { CLOCK, defineInput, PROCESSES } from '@millrace/engine/plugin'
import { INPUT_METRICS } from './exec-counters.js'
import { programsOf, resourcesOf } from './exec-options.js'
import { ExecSource } from './exec-source.js'
import { inputOptions } from './input-options.js'

export const execInput = defineInput({
  type: 'exec',
  summary: 'A transport stream that a program writes to its stdout.',
  produces: 'bytes',
  options: inputOptions,
  inject: { clock: CLOCK, processes: PROCESSES },
  metrics: INPUT_METRICS,
  exclusive: resourcesOf,
  programs: programsOf,
  examples: [
    {
      title: 'A file, converted by ffmpeg while it plays',
      yaml: 'enc: { type: exec, command: [ffmpeg, -nostdin, -loglevel, warning, -re, -i, in.mp4, -c, copy, -f, mpegts, "-"] }',
    },
    {
      title: 'A capture card, which only one program can open',
      yaml: [
        'cam:',
        '  type: exec',
        '  command: [ffmpeg, -nostdin, -loglevel, warning, -f, v4l2, -i, /dev/video0, -c:v, libx264, -g, 50, -f, mpegts, "-"]',
        '  pausable: false',
        '  exclusive: /dev/video0',
        '  readTimeout: 5s',
      ].join('\n'),
    },
    {
      title: 'Your own program beside the YAML file, with a password that nobody sees in the list of processes',
      yaml: 'own: { type: exec, command: [./receive.sh, "239.1.2.3:5000"], env: { KEY: "${secret:key}" }, restart: on-failure }',
    },
  ],
  open(options$, context, { clock, processes }) {
    return new ExecSource({ options$, context, clock, processes })
  },
})
