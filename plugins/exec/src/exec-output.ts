// Output `exec`: writes a transport stream into the stdin of a program.
import { CLOCK, defineOutput, PROCESSES } from '@millrace/engine/plugin'
import { programsOf, resourcesOf } from './exec-options.js'
import { ExecSink } from './exec-sink.js'
import { outputOptions } from './output-options.js'

export const execOutput = defineOutput({
  type: 'exec',
  summary: 'Writes the stream into the stdin of a program, byte for byte.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  options: outputOptions,
  inject: { clock: CLOCK, processes: PROCESSES },
  metrics: [
    {
      name: 'exec_pending_bytes',
      kind: 'gauge',
      help: 'Bytes written to the program that it has not read; more wait in the queue of the edge.',
    },
    {
      name: 'exec_skipped_bytes_total',
      kind: 'counter',
      help: 'Bytes that were left out before the first random access point.',
    },
  ],
  exclusive: resourcesOf,
  programs: programsOf,
  examples: [
    {
      title: 'Push to a server with ffmpeg; the key comes from a secret and is masked in the log',
      yaml: 'push: { type: exec, from: gops, command: [ffmpeg, -loglevel, warning, -i, "-", -c, copy, -f, flv, "rtmp://live.example/app/${secret:key}"] }',
    },
    {
      title: 'Multicast with ffmpeg, one program at a time',
      yaml: 'mc: { type: exec, from: main, command: [ffmpeg, -loglevel, warning, -re, -i, "-", -c, copy, -f, mpegts, "udp://239.1.2.4:5000?pkt_size=1316"], exclusive: "udp:239.1.2.4" }',
    },
  ],
  open(options$, context, { clock, processes }) {
    return ExecSink.open({ options$, context, clock, processes })
  },
})
