// The options of the input, and the rules between them.
import { address, choice, duration, flag, listenerName, path } from '@millrace/engine/plugin'
import { z } from 'zod'

const MAX_ADDRESSES = 64
/** Keys that have a meaning in one mode alone. */
const CONNECT_KEYS = ['address', 'addresses', 'order', 'connectTimeout', 'tls'] as const
const LISTEN_KEYS = ['listener', 'key'] as const

export const tcpOptions = z
  .strictObject({
    mode: choice('listen', 'connect').prefault('listen').meta({
      description: '`listen`: senders connect to a listener. `connect`: the input connects to a sender.',
      reload: 'source',
    }),
    listener: listenerName('tcp').optional().meta({
      description: 'With `listen`: the listener of protocol `tcp` that senders connect to.',
      reload: 'source',
    }),
    key: choice('line', 'address').optional().meta({
      description:
        'With `listen`: where the key of a stream comes from. `line`, the default: the sender writes it in a line of its own before the stream. `address`: it is the address of the sender, with `-` for each colon of IPv6.',
      reload: 'source',
    }),
    address: address().optional().meta({
      description: 'With `connect`: `host:port` of the sender.',
      reload: 'source',
    }),
    addresses: z.array(address()).min(1).max(MAX_ADDRESSES).optional().meta({
      description: 'With `connect`: several senders, instead of `address`; when one fails, the next is tried at once.',
      reload: 'source',
    }),
    order: choice('listed', 'random').optional().meta({
      description: 'With `addresses`: in which order they are tried; by default `listed`.',
      reload: 'source',
    }),
    connectTimeout: duration({ min: 100 }).optional().meta({
      description: 'With `connect`: time limit for the connection, TLS included; by default 5s.',
      reload: 'live',
    }),
    readTimeout: duration({ min: 100 }).prefault('10s').meta({
      description:
        'The connection is closed when no byte has arrived for this long, or less than one packet in twice that time.',
      reload: 'live',
    }),
    keepAlive: duration().prefault('10s').meta({
      description: 'Time of silence before the system probes whether the other end is still there; 0 for never.',
      reload: 'source',
    }),
    tls: z
      .strictObject({
        ca: path({ exists: 'required', is: 'file' }).optional().meta({
          description: 'PEM file of the authorities that are trusted, instead of the well-known ones.',
          reload: 'source',
        }),
        serverName: z.string().min(1).optional().meta({
          description:
            'Name that the certificate must have, and that is sent (SNI); by default the host of the address.',
          reload: 'source',
        }),
        insecure: flag().default(false).meta({
          description: 'Accepts any certificate. For tests only: the other end is unknown.',
          reload: 'source',
        }),
      })
      .optional()
      .meta({ description: 'With `connect`: the stream comes over TLS 1.2 or newer. By default it does not.' }),
  })
  .superRefine((options, context) => {
    const refuse: Refuse = (key, message) => {
      context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message })
    }
    const isListening = options.mode === 'listen'
    for (const key of isListening ? CONNECT_KEYS : LISTEN_KEYS) {
      if (options[key] !== undefined) refuse(key, `must only be set with mode: ${isListening ? 'connect' : 'listen'}`)
    }
    if (!isListening) checkTargets(options, refuse)
    else if (options.listener === undefined) refuse(undefined, 'needs `listener`, or `mode: connect`')
  })

type Refuse = (key: string | undefined, message: string) => void

function checkTargets(
  {
    address: one,
    addresses,
    order,
  }: Readonly<{ address?: string | undefined; addresses?: string[] | undefined; order?: unknown }>,
  refuse: Refuse,
): void {
  if (one === undefined && addresses === undefined) refuse(undefined, 'needs `address` or `addresses`')
  if (one !== undefined && addresses !== undefined) refuse('addresses', 'must not be set together with `address`')
  if (order !== undefined && addresses === undefined) refuse('order', 'needs `addresses`')
  if (one?.endsWith(':0') === true) refuse('address', 'must not have port 0')
  if (addresses?.some((target) => target.endsWith(':0')) === true) refuse('addresses', 'must not have port 0')
}

export type TcpOptions = z.output<typeof tcpOptions>

export const tcpListenerOptions = z.strictObject({
  headerTimeout: duration({ min: 100, max: 60_000 }).prefault('5s').meta({
    description: 'Time limit for the line with the key.',
    reload: 'live',
  }),
})

export type TcpListenerOptions = z.output<typeof tcpListenerOptions>
