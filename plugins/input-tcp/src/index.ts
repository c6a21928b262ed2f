// Input `tcp`: transport streams over plain TCP, from senders that connect to a listener or that the input connects to.
// Listener `tcp`: the socket that senders connect to.
import { CLOCK, defineInput, defineListener, LISTENERS, SOCKETS, trustedAuthorities } from '@millrace/engine/plugin'
import type { Clock, NodeContext, Sockets, TlsTarget } from '@millrace/engine/plugin'
import { TCP_METRICS } from './tcp-counters.js'
import { tcpError } from './tcp-errors.js'
import { REFUSALS, TCP_CONNECTIONS, TcpListener } from './tcp-listener.js'
import { tcpListenerOptions, type TcpOptions, tcpOptions } from './tcp-options.js'
import { tcpPublishers } from './tcp-publishers.js'
import { TcpSource } from './tcp-source.js'

const DEFAULT_CONNECT_TIMEOUT_MS = 5000

const input = defineInput({
  type: 'tcp',
  summary: 'Transport streams over plain TCP: published by senders that connect, or received from a sender.',
  produces: 'bytes',
  options: tcpOptions,
  inject: { clock: CLOCK, listeners: LISTENERS, sockets: SOCKETS },
  metrics: TCP_METRICS,
  examples: [
    {
      title: 'Any stream that is published to the listener `pubs`',
      yaml: 'pub: { type: tcp, listener: pubs, streams: "*" }',
    },
    { title: 'From a sender', yaml: 'up: { type: tcp, mode: connect, address: "encoder.example:5000" }' },
    {
      title: 'From the first of two senders that answers, over TLS',
      yaml: [
        'up:',
        '  type: tcp',
        '  mode: connect',
        '  addresses: ["a.example:5000", "b.example:5000"]',
        '  tls: { ca: authority.pem }',
      ].join('\n'),
    },
  ],
  takesStreams: ({ mode }) => mode === 'listen',
  async open(options$, context, { clock, sockets }) {
    const { mode } = options$.value
    if (mode === 'listen') throw tcpError('TCP_NO_STREAMS', 'the input listens, and has no key `streams`')
    return openSource(() => options$.value, context, { clock, sockets })
  },
  publishers(options$, context, { clock, listeners }) {
    const { mode, listener = '', key = 'line' } = options$.value
    if (mode === 'connect') throw tcpError('TCP_NOT_LISTENING', 'the input connects, and has the key `streams`')
    const readTimeoutMs = (): number => options$.value.readTimeout
    return tcpPublishers({ listener, key, readTimeoutMs, context, clock, listeners })
  },
})

const listener = defineListener({
  protocol: 'tcp',
  transport: 'tcp',
  summary: 'Takes transport streams over plain TCP, for inputs of type `tcp`.',
  options: tcpListenerOptions,
  provides: TCP_CONNECTIONS,
  refusals: REFUSALS,
  inject: { clock: CLOCK },
  examples: [
    { title: 'On port 7000', yaml: 'pubs: { protocol: tcp, address: "0.0.0.0:7000" }' },
    {
      title: 'Over TLS, at most 8 connections of one address',
      yaml: [
        'pubs:',
        '  protocol: tcp',
        '  address: "[::]:7443"',
        '  tls: { cert: tls/fullchain.pem, key: tls/privkey.pem }',
        '  maxPerAddress: 8',
      ].join('\n'),
    },
  ],
  open: (options$, context, { clock }, transport) => {
    return new TcpListener(transport, { options: () => options$.value, context, clock })
  },
})

export default [input, listener]

async function openSource(
  options: () => TcpOptions,
  context: NodeContext,
  { clock, sockets }: { readonly clock: Clock; readonly sockets: Sockets },
): Promise<TcpSource> {
  const { address, addresses, order = 'listed', keepAlive } = options()
  return new TcpSource({
    targets: addresses ?? (address === undefined ? [] : [address]),
    order,
    timeouts: () => {
      const { connectTimeout = DEFAULT_CONNECT_TIMEOUT_MS, readTimeout } = options()
      return { connect: connectTimeout, read: readTimeout }
    },
    tls: await tlsOf(options(), context),
    keepAliveMs: keepAlive,
    context,
    clock,
    sockets,
    random: Math.random,
  })
}

async function tlsOf({ tls }: TcpOptions, { log }: NodeContext): Promise<TlsTarget | undefined> {
  if (tls === undefined) return undefined
  const { ca, serverName, insecure } = tls
  if (insecure) log.warn('tls.insecure: the certificate of the sender is not verified')
  const authorities = await trustedAuthorities(ca).catch((error: unknown) => {
    throw tcpError('TCP_CA', error instanceof Error ? error.message : String(error), { cause: error })
  })
  return { authorities, serverName, insecure }
}
