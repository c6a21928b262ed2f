// Output `rtmp`: a stream over RTMP and RTMPS, published to a server, or served to players.
import { AUDIENCE, AUTH, CLOCK, defineOutput, LISTENERS, SOCKETS, trustedAuthorities } from '@millrace/engine/plugin'
import type { TlsTarget } from '@millrace/engine/plugin'
import { rtmpOutputError } from './rtmp-output-errors.js'
import { pushWarnings } from './push-warnings.js'
import { RTMP_OUTPUT_METRICS } from './rtmp-output-metrics.js'
import { memoryBound, rtmpOutputOptions, usualMemory } from './rtmp-output-options.js'
import type { RtmpOutputOptions } from './rtmp-output-options.js'
import { RtmpPush } from './rtmp-push.js'
import { RtmpViewers } from './rtmp-viewers.js'

export default defineOutput({
  type: 'rtmp',
  summary: 'A stream over RTMP: published to a server such as a streaming platform, or served to players.',
  consumes: ['gop', 'ts'],
  inlets: 'one',
  options: rtmpOutputOptions,
  inject: { audiences: AUDIENCE, auth: AUTH, clock: CLOCK, listeners: LISTENERS, sockets: SOCKETS },
  metrics: RTMP_OUTPUT_METRICS,
  memoryBound,
  usualMemory,
  warnings: pushWarnings,
  memoryOptions: ({ mode }) => (mode === 'push' ? [] : ['clients.max']),
  examples: [
    {
      title: 'Published to a server',
      yaml: 'tube: { type: rtmp, from: gops, mode: push, url: "rtmps://live.example/app/${secret:key}" }',
    },
    {
      title: 'To players of `rtmp://host/live/cam`',
      yaml: 'play: { type: rtmp, from: gops, mode: serve, listener: rtmp, app: live, stream: cam }',
    },
  ],
  offers({ mode, listener = '', app = '', stream: name }, stream) {
    if (mode === 'push') return []
    const full = `${app}/${name ?? stream}`
    return [{ listener, action: 'read', name: full, path: `/${full}` }]
  },
  async open(options$, context, { audiences, auth, clock, listeners, sockets }) {
    const { mode, tls } = options$.value
    if (mode === 'serve') return new RtmpViewers({ options$, context, audiences, auth, clock, listeners })
    if (tls?.insecure === true) context.log.warn('tls.insecure: the certificate of the server is not verified')
    return new RtmpPush({
      ...{ options$, context, clock, sockets, random: Math.random },
      tls: await tlsOf(options$.value),
    })
  },
})

async function tlsOf({ tls }: RtmpOutputOptions): Promise<TlsTarget> {
  if (tls === undefined) return {}
  const { ca, serverName, insecure } = tls
  const authorities = await trustedAuthorities(ca).catch((cause: unknown) => {
    throw rtmpOutputError('RTMP_PUSH_CA', cause instanceof Error ? cause.message : String(cause), { cause })
  })
  return { authorities, serverName, insecure }
}
