// Input `srt`: transport streams over SRT, from senders that call a listener or that the input calls.
// Listener `srt`: the socket that publishers and viewers call.
import { CLOCK, defineInput, defineListener, LISTENERS, SOCKETS } from '@millrace/engine/plugin'
import { ConnectionTotals } from '@millrace/srt/node'
import { srtListenerOptions } from './listener-options.js'
import { LISTENER_METRICS } from './listed-callers.js'
import { publishWarnings } from './publish-warnings.js'
import { REFUSALS } from './refusals.js'
import { SrtCaller } from './srt-caller.js'
import { srtError } from './srt-errors.js'
import { SRT_CONNECTIONS, SrtListener } from './srt-listener.js'
import { showConnections, SRT_METRICS } from './srt-metrics.js'
import { srtOptions } from './srt-options.js'
import { srtPublishers } from './srt-publishers.js'
import { wildcardWarnings } from './wildcard-address.js'

const input = defineInput({
  type: 'srt',
  summary: 'Transport streams over SRT: published by senders that call, or received from a sender that is called.',
  produces: 'bytes',
  options: srtOptions,
  inject: { clock: CLOCK, listeners: LISTENERS, sockets: SOCKETS },
  metrics: SRT_METRICS,
  examples: [
    {
      title: 'Any stream that is published to the listener `srt`',
      yaml: 'pub: { type: srt, listener: srt, streams: "*" }',
    },
    {
      title: 'From a sender that listens, encrypted',
      yaml: [
        'up:',
        '  type: srt',
        '  mode: caller',
        '  address: "encoder.example:9000"',
        '  streamId: "#!::r=cam,m=request"',
        '  passphrase: "${secret:encoder}"',
        '  latency: 200ms',
      ].join('\n'),
    },
  ],
  warnings: publishWarnings,
  takesStreams: ({ mode }) => mode === 'listener',
  offers({ mode, listener: on, app }, stream) {
    if (mode === 'caller') return []
    const name = app === undefined ? stream : `${app}/${stream}`
    // The form that all callers send as it is: they cut at `#` and `&`, and decode nothing.
    return [{ listener: on ?? '', action: 'publish', name, path: `?streamid=publish:${name}` }]
  },
  open(options$, context, { clock, sockets }) {
    const { mode } = options$.value
    if (mode === 'listener') throw srtError('SRT_NO_STREAMS', 'the input listens, and has no key `streams`')
    const totals = new ConnectionTotals()
    showConnections(context, totals)
    return new SrtCaller({ options: () => options$.value, context, clock, sockets, totals })
  },
  publishers(options$, context, { clock, listeners }) {
    const { mode, listener = '', app } = options$.value
    if (mode === 'caller') throw srtError('SRT_NOT_LISTENING', 'the input calls, and has the key `streams`')
    const totals = new ConnectionTotals()
    showConnections(context, totals)
    const latencyMs = (): number | undefined => options$.value.latency
    const passphrase = (): string | undefined => options$.value.passphrase
    const idleMs = (): number | undefined => options$.value.idle
    return srtPublishers({ listener, app, latencyMs, passphrase, idleMs, clock, context, listeners, totals })
  },
})

const listener = defineListener({
  protocol: 'srt',
  transport: 'udp',
  summary: 'Takes calls over SRT, for inputs and outputs of type `srt`.',
  options: srtListenerOptions,
  provides: SRT_CONNECTIONS,
  refusals: REFUSALS,
  metrics: LISTENER_METRICS,
  inject: { clock: CLOCK },
  warnings: (_, { address = '' }) => wildcardWarnings(address),
  examples: [
    { title: 'On port 9999', yaml: 'srt: { protocol: srt, address: "0.0.0.0:9999", latency: 120ms }' },
    {
      title: 'Encrypted, with names for callers',
      yaml: 'srt: { protocol: srt, address: "0.0.0.0:9999", passphrase: "${secret:srt}", labels: { 10.1.0.0/16: studio } }',
    },
  ],
  open: (options$, context, { clock }, transport) => new SrtListener(transport, { options$, context, clock }),
})

export default [input, listener]
