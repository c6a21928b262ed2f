// The section `engine:`. The generated documentation is made from this schema.
import { z } from 'zod'
import type { EngineSettings } from '../../graph/graph.js'
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
      readToken: choice('remote', 'always').prefault('remote').meta({
        description:
          'Who needs the token of the control API to read: clients on other machines and behind proxies (`remote`), or also those on this machine (`always`), for machines that other people use, and behind a proxy on this machine, which is taken for a local user if it adds no forwarding header.',
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
  stateDir: path({ is: 'folder' }).prefault('.millrace').meta({
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
  ffmpeg: path({ exists: 'expected', is: 'file' }).optional().meta({
    description:
      'Path of the program `ffmpeg` for the nodes that need it. By default the one in PATH, else one that an npm package has brought.',
    reload: 'live',
  }),
  accessLog: z
    .union([choice('off', 'stdout'), path({ is: 'file' })])
    .prefault('off')
    .meta({
      description:
        'Destination of the access log, one line of JSON for each viewer who has left or was refused: `off`, `stdout` or a file.',
      reload: 'live',
    }),
})

export type EngineOptions = z.output<typeof ENGINE_SCHEMA>

/** The settings of the engine, from its options. */
export function engineSettings(options: EngineOptions): EngineSettings {
  const { api, log, stateDir, drain, maxClients, maxProcesses, ffmpeg, accessLog } = options
  const programs = ffmpeg === undefined ? {} : { programs: { ffmpeg } }
  return { api, log, stateDir, drainMs: drain, maxClients, maxProcesses, ...programs, accessLog }
}
