// The sections of the engine itself, `engine:` and `listeners:`. The generated documentation is made from these
// schemas.
import { z } from 'zod'
import type { EngineSettings } from '../../graph/graph.js'
import { isAddressRange } from '../../listen/address-ranges.js'
import { address, choice, count, duration, path } from '../../plugin/options.js'

const DEFAULT_API_ADDRESS = '127.0.0.1:9990'

export const ENGINE_SCHEMA = z.strictObject({
  api: z
    .strictObject({
      address: address()
        .prefault(DEFAULT_API_ADDRESS)
        .meta({ description: 'Address and port of the control API.', reload: 'rebind' }),
      hosts: z.array(z.string().min(1)).default([]).meta({
        description: 'Host names that the control API accepts in the Host header, in addition to its address.',
        reload: 'live',
      }),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: choice('info', 'trace', 'debug', 'warn', 'error')
        .prefault('info')
        .meta({ description: 'Minimum level of the messages that are logged.', reload: 'live' }),
    })
    .prefault({}),
  stateDir: path().prefault('.millrace').meta({
    description: 'Folder for state that outlives the process. Only one engine can use it at a time.',
    reload: 'restart',
  }),
  drain: duration({ min: 100 })
    .prefault('10s')
    .meta({ description: 'Maximum time for stopping the engine or removing a node.', reload: 'live' }),
  maxClients: count({ min: 1 })
    .prefault(5000)
    .meta({ description: 'Maximum number of viewers across all outputs.', reload: 'live' }),
  maxProcesses: count({ min: 1, max: 100_000 })
    .prefault(200)
    .meta({ description: 'Maximum number of processes that nodes start.', reload: 'live' }),
  accessLog: z
    .union([choice('off', 'stdout'), path()])
    .prefault('off')
    .meta({
      description:
        'Destination of the access log, one line of JSON for each viewer who has left or was refused: `off`, `stdout` or a file.',
      reload: 'live',
    }),
})

export const LISTENER_SCHEMA = z.strictObject({
  protocol: choice('http').prefault('http').meta({ description: 'Protocol of the listener.', reload: 'restart' }),
  address: address().meta({ description: 'Address and port; port 0 picks a free one.', reload: 'rebind' }),
  tls: z
    .strictObject({
      cert: path().meta({
        description: 'PEM file with the certificate followed by its intermediates; read again when it changes.',
        reload: 'rebind',
      }),
      key: path().meta({ description: 'PEM file with the private key; read again when it changes.', reload: 'rebind' }),
    })
    .optional()
    .meta({
      description: 'Serves HTTP/1.1 and HTTP/2 over TLS 1.2 or newer. Without it, the listener does not use TLS.',
    }),
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
  forwardedHeader: choice('x-forwarded-for', 'forwarded').prefault('x-forwarded-for').meta({
    description: 'Header in which trusted proxies report the client address; the other header is ignored.',
    reload: 'live',
  }),
  maxConnections: count({ min: 1 }).default(10_000).meta({
    description:
      'Maximum number of connections. At the limit, the oldest connection that has not sent a request is closed to make room; if there is none, the new connection is closed.',
    reload: 'live',
  }),
  maxClients: count({ min: 0 }).default(0).meta({
    description: 'Maximum number of viewers of live outputs on this listener; 0 for no limit.',
    reload: 'live',
  }),
})

export type EngineOptions = z.output<typeof ENGINE_SCHEMA>
export type ListenerOptions = z.output<typeof LISTENER_SCHEMA>

/** The settings of the engine, from its options. */
export function engineSettings(options: EngineOptions): EngineSettings {
  const { api, log, stateDir, drain, maxClients, maxProcesses, accessLog } = options
  return { api, log, stateDir, drainMs: drain, maxClients, maxProcesses, accessLog }
}
