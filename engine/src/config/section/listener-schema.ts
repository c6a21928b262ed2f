// The keys that the engine reads on a listener, by protocol. The generated documentation is made from these schemas.
import { z } from 'zod'
import { isAddressRange } from '../../listen/address-ranges.js'
import type { ListenerTransport } from '../../plugin/listener.js'
import { address, choice, count, path, size } from '../../plugin/options.js'

/** The protocol that the engine speaks itself. */
export const HTTP_PROTOCOL = 'http'

const BIND = {
  address: address().meta({ description: 'Address and port; port 0 picks a free one.', reload: 'rebind' }),
}

/** Of every listener that accepts connections. */
const CONNECTIONS = {
  proxyProtocol: choice('off', 'v1', 'v2').prefault('off').meta({
    description:
      'Connections must begin with a PROXY protocol header of this version, which carries the client address. If trustedProxies is set, connections from any other address are closed.',
    reload: 'rebind',
  }),
  trustedProxies: z
    .array(z.string().refine(isAddressRange, 'must be an address or a range such as 10.0.0.0/8'))
    .default([])
    .meta({
      description: 'Addresses and ranges of proxies that are trusted to report the client address.',
      reload: 'live',
    }),
}

/** `description`: what it serves. */
function tls(description: string) {
  return z
    .strictObject({
      cert: path({ exists: 'required', is: 'file' }).meta({
        description: 'PEM file with the certificate followed by its intermediates; read again when it changes.',
        reload: 'rebind',
      }),
      key: path({ exists: 'required', is: 'file' }).meta({
        description: 'PEM file with the private key; read again when it changes.',
        reload: 'rebind',
      }),
    })
    .optional()
    .meta({ description: `${description} Without it, the listener does not use TLS.` })
}

function maxPerAddress(none: number, description: string) {
  return count({ min: 0 }).default(none).meta({ description, reload: 'live' })
}

const HTTP_LISTENER_SCHEMA = z.strictObject({
  protocol: choice(HTTP_PROTOCOL)
    .prefault(HTTP_PROTOCOL)
    .meta({ description: 'Protocol of the listener: `http`, or one that a plugin speaks.', reload: 'restart' }),
  ...BIND,
  tls: tls('Serves HTTP/1.1 and HTTP/2 over TLS 1.2 or newer.'),
  ...CONNECTIONS,
  forwardedHeader: choice('x-forwarded-for', 'forwarded').prefault('x-forwarded-for').meta({
    description: 'Header in which trusted proxies report the client address; the other header is ignored.',
    reload: 'live',
  }),
  maxConnections: count({ min: 1 }).default(10_000).meta({
    description:
      'Maximum number of connections. At the limit, the oldest connection that has not sent a request is closed to make room; if there is none, the new connection is closed.',
    reload: 'live',
  }),
  maxPerAddress: maxPerAddress(
    0,
    'Maximum number of connections from one IPv4 address or one /64 of IPv6, 0 for no limit. Behind a proxy that speaks HTTP, that is the address of the proxy.',
  ),
  maxClients: count({ min: 0 }).default(0).meta({
    description: 'Maximum number of viewers of live outputs on this listener; 0 for no limit.',
    reload: 'live',
  }),
})

const PROTOCOL = z.string().meta({ description: 'The protocol, which a plugin speaks.', reload: 'restart' })

const STREAM_LISTENER_SCHEMA = z.strictObject({
  protocol: PROTOCOL,
  ...BIND,
  tls: tls('The protocol is spoken inside TLS 1.2 or newer.'),
  ...CONNECTIONS,
  maxConnections: count({ min: 1 }).default(1000).meta({
    description:
      'Maximum number of connections. At the limit, the oldest connection that has not said who it is is closed to make room; if there is none, the new connection is closed.',
    reload: 'live',
  }),
  maxPerAddress: maxPerAddress(
    100,
    'Maximum number of connections from one IPv4 address or one /64 of IPv6; 0 for no limit.',
  ),
})

const DATAGRAM_LISTENER_SCHEMA = z.strictObject({
  protocol: PROTOCOL,
  ...BIND,
  receiveBuffer: size({ min: 4096, max: 1024 ** 3 })
    .prefault('4MiB')
    .meta({
      description:
        'Receive buffer of the socket in the kernel, which holds datagrams while the engine is busy. A warning in the log tells when the system grants less (net.core.rmem_max).',
      reload: 'live',
    }),
})

export type ListenerOptions = z.output<typeof HTTP_LISTENER_SCHEMA>

/** Of `http`, or of a protocol that a plugin speaks over that transport. */
export function listenerSchema(protocol: string, transport: ListenerTransport = 'tcp'): z.ZodType {
  if (protocol === HTTP_PROTOCOL) return HTTP_LISTENER_SCHEMA
  return transport === 'tcp' ? STREAM_LISTENER_SCHEMA : DATAGRAM_LISTENER_SCHEMA
}
