// Input `rtmp`: streams over RTMP, published by encoders to a listener, or played from a server.
// Listener `rtmp`: the socket that publishers and players connect to.
import { CLOCK, defineInput, defineListener, LISTENERS, SOCKETS, trustedAuthorities } from '@millrace/engine/plugin'
import type { TlsTarget } from '@millrace/engine/plugin'
import { rtmpListenerOptions } from './listener-options.js'
import { publishWarnings } from './publish-warnings.js'
import { rtmpError } from './rtmp-errors.js'
import { REFUSALS, RTMP_CONNECTIONS, RtmpListener } from './rtmp-listener.js'
import { rtmpOptions } from './rtmp-options.js'
import type { RtmpInputOptions } from './rtmp-options.js'
import { rtmpPublishers } from './rtmp-publishers.js'
import { RtmpPuller } from './rtmp-puller.js'
import { RTMP_METRICS, RtmpStreams } from './rtmp-streams.js'

const DEFAULT_IDLE_MS = 60_000

const input = defineInput({
  type: 'rtmp',
  summary: 'Streams over RTMP: published by encoders such as OBS and ffmpeg, or played from a server.',
  produces: 'bytes',
  options: rtmpOptions,
  inject: { clock: CLOCK, listeners: LISTENERS, sockets: SOCKETS },
  metrics: RTMP_METRICS,
  examples: [
    {
      title: 'Any stream that is published to `rtmp://host/live/KEY`',
      yaml: 'pub: { type: rtmp, listener: rtmp, app: live, streams: "*" }',
    },
    {
      title: 'From a server',
      yaml: 'up: { type: rtmp, mode: pull, url: "rtmp://origin.example/live/cam?token=${secret:origin}" }',
    },
  ],
  warnings: publishWarnings,
  takesStreams: ({ mode }) => mode === 'listen',
  offers({ mode, listener: on = '', app = '' }, stream) {
    if (mode === 'pull') return []
    const name = `${app}/${stream}`
    return [{ listener: on, action: 'publish', name, path: `/${name}` }]
  },
  async open(options$, context, { clock, sockets }) {
    if (options$.value.mode === 'listen') {
      throw rtmpError('RTMP_NO_STREAMS', 'the input listens, and has no key `streams`')
    }
    const tls = await tlsOf(options$.value)
    if (options$.value.tls?.insecure === true) {
      context.log.warn('tls.insecure: the certificate of the server is not verified')
    }
    const streams = new RtmpStreams(context)
    return new RtmpPuller({ options: () => options$.value, tls, context, clock, sockets, streams })
  },
  publishers(options$, context, { clock, listeners }) {
    const { mode, listener = '', app = '' } = options$.value
    if (mode === 'pull') throw rtmpError('RTMP_NOT_LISTENING', 'the input pulls, and has the key `streams`')
    const streams = new RtmpStreams(context)
    const [syncMs, idleMs] = [() => options$.value.sync, () => options$.value.idle ?? DEFAULT_IDLE_MS]
    return rtmpPublishers({ listener, app, syncMs, idleMs, context, clock, listeners, streams })
  },
})

const listener = defineListener({
  protocol: 'rtmp',
  transport: 'tcp',
  summary: 'Takes connections over RTMP, or RTMPS with `tls`, for inputs and outputs of type `rtmp`.',
  options: rtmpListenerOptions,
  provides: RTMP_CONNECTIONS,
  refusals: REFUSALS,
  inject: { clock: CLOCK },
  examples: [
    { title: 'On port 1935', yaml: 'rtmp: { protocol: rtmp, address: "0.0.0.0:1935" }' },
    {
      title: 'RTMPS',
      yaml: [
        'rtmps:',
        '  protocol: rtmp',
        '  address: "0.0.0.0:443"',
        '  tls: { cert: tls/fullchain.pem, key: tls/privkey.pem }',
      ].join('\n'),
    },
  ],
  open: (options$, context, { clock }, transport) => {
    return new RtmpListener(transport, { options: () => options$.value, context, clock })
  },
})

export default [input, listener]

async function tlsOf({ tls }: RtmpInputOptions): Promise<TlsTarget> {
  if (tls === undefined) return {}
  const { ca, serverName, insecure } = tls
  const authorities = await trustedAuthorities(ca).catch((error: unknown) => {
    throw rtmpError('RTMP_CA', error instanceof Error ? error.message : String(error), { cause: error })
  })
  return { authorities, serverName, insecure }
}
