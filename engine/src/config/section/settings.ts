// The sections that belong to the engine itself: `engine:` and `listeners:`. Their schemas are also what the generated
// pages are made from.
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
        .meta({ description: 'Where the control API listens.', reload: 'rebind' }),
      hosts: z.array(z.string().min(1)).default([]).meta({
        description: 'Names that clients may use for it in the Host header, beside its address.',
        reload: 'live',
      }),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: choice('info', 'trace', 'debug', 'warn', 'error')
        .prefault('info')
        .meta({ description: 'The least important messages that are logged.', reload: 'live' }),
    })
    .prefault({}),
  stateDir: path()
    .prefault('.millrace')
    .meta({ description: 'Folder for what outlives the process; one process at a time.', reload: 'restart' }),
  drain: duration({ min: 100 })
    .prefault('10s')
    .meta({ description: 'How long a stop or a removal may take.', reload: 'live' }),
  maxClients: count({ min: 1 })
    .prefault(5000)
    .meta({ description: 'Viewers at most, over all outputs.', reload: 'live' }),
  accessLog: z
    .union([choice('off', 'stdout'), path()])
    .prefault('off')
    .meta({
      description: 'A line of JSON for each viewer who has gone or was refused: to stdout, or to a file.',
      reload: 'live',
    }),
})

export const LISTENER_SCHEMA = z.strictObject({
  protocol: choice('http').prefault('http').meta({ description: 'What is spoken on the socket.', reload: 'restart' }),
  address: address().meta({ description: 'Address and port; port 0 takes any free one.', reload: 'rebind' }),
  tls: z
    .strictObject({
      cert: path().meta({
        description: 'PEM file of the certificate, then those in between; read again when it changes.',
        reload: 'rebind',
      }),
      key: path().meta({ description: 'PEM file of its key; read again when it changes.', reload: 'rebind' }),
    })
    .optional()
    .meta({ description: 'Speaks TLS (1.2 or newer), with HTTP/1.1 or HTTP/2 inside. By default not.' }),
  proxyProtocol: choice('off', 'v1', 'v2').prefault('off').meta({
    description:
      'Each connection must begin with a PROXY header of this version, which names the client; of the addresses in trustedProxies only, if there are any.',
    reload: 'rebind',
  }),
  trustedProxies: z
    .array(z.string().refine(isAddressRange, 'must be an address, or a range such as 10.0.0.0/8'))
    .default([])
    .meta({ description: 'Addresses and ranges of the proxies that may say who the client is.', reload: 'live' }),
  forwardedHeader: choice('x-forwarded-for', 'forwarded').prefault('x-forwarded-for').meta({
    description: 'The header in which those proxies say it; the other one is not read.',
    reload: 'live',
  }),
  maxConnections: count({ min: 1 }).default(10_000).meta({
    description: 'Connections at most; beyond, the oldest that has asked for nothing is closed, else the new one.',
    reload: 'live',
  }),
  maxClients: count({ min: 0 })
    .default(0)
    .meta({ description: 'Viewers of live outputs at most; 0 for no limit.', reload: 'live' }),
})

export type EngineOptions = z.output<typeof ENGINE_SCHEMA>
export type ListenerOptions = z.output<typeof LISTENER_SCHEMA>

/** The settings of the engine, from its options. */
export function engineSettings(options: EngineOptions): EngineSettings {
  const { api, log, stateDir, drain, maxClients, accessLog } = options
  return { api, log, stateDir, drainMs: drain, maxClients, accessLog }
}
