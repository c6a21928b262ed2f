// Output `srt`: a transport stream over SRT, to viewers that call a listener or to a receiver that is called.
import { AUDIENCE, AUTH, CLOCK, defineOutput, DELIVERY, LISTENERS, SOCKETS } from '@millrace/engine/plugin'
import { sendWarnings } from './send-warnings.js'
import { SRT_OUTPUT_METRICS } from './srt-output-metrics.js'
import { memoryBound, srtOutputOptions, usualMemory } from './srt-output-options.js'
import { SrtPush } from './srt-push.js'
import { SrtViewers } from './srt-viewers.js'

export default defineOutput({
  type: 'srt',
  summary: 'A transport stream over SRT: to viewers that call a listener, or to a receiver that is called.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  options: srtOutputOptions,
  inject: { audiences: AUDIENCE, auth: AUTH, clock: CLOCK, delivery: DELIVERY, listeners: LISTENERS, sockets: SOCKETS },
  metrics: SRT_OUTPUT_METRICS,
  memoryBound,
  usualMemory,
  memoryOptions: ({ mode }) => (mode === 'caller' ? ['latency'] : ['clients.max', 'latency', 'window.size']),
  warnings: sendWarnings,
  offers({ mode, listener, stream: name }, stream) {
    if (mode === 'caller') return []
    return [
      { listener: listener ?? '', action: 'read', name: name ?? stream, path: `?streamid=read:${name ?? stream}` },
    ]
  },
  examples: [
    {
      title: 'To viewers that request the stream from the listener `srt`',
      yaml: 'view: { type: srt, from: gops, listener: srt, stream: cam }',
    },
    {
      title: 'To a receiver, encrypted',
      yaml: [
        'push:',
        '  type: srt',
        '  from: gops',
        '  mode: caller',
        '  address: "studio.example:9000"',
        '  streamId: "#!::r=feed,m=publish"',
        '  passphrase: "${secret:studio}"',
      ].join('\n'),
    },
  ],
  open: (options$, context, { audiences, auth, clock, delivery, listeners, sockets }) =>
    options$.value.mode === 'caller'
      ? new SrtPush({ options$, context, clock, delivery, sockets, random: Math.random })
      : new SrtViewers({ options$, context, auth, audiences, clock, delivery, listeners }),
})
