// The options of the output, and the rules between them.
import { authName, choice, duration, flag, listenerName, path, secret, viewerLimits } from '@millrace/engine/plugin'
import type { UsualMemory } from '@millrace/engine/plugin'
import { parseRtmpUrl } from '@millrace/rtmp'
import { z } from 'zod'

/** Keys that have a meaning in one mode alone. */
const PUSH_KEYS = ['url', 'connectTimeout', 'holdFor', 'tls'] as const
const SERVE_KEYS = ['listener', 'app', 'stream', 'auth', 'clients'] as const
const PATH = /^[^/\s?#]+(\/[^/\s?#]+)*$/
const NO_PATH = 'must be a path without slashes at its ends, query and spaces'
/** What has been sent since the last key frame, and its chunks. */
const RING_BYTES = 32 * 1024 * 1024
/** Queues hold references: together at most the newest half minute of the stream, and its chunks. */
const QUEUED_BYTES = 64 * 1024 * 1024
/** Of a connection: buffers of its socket, and what it has yet to read. */
const CONNECTION_BYTES = 128 * 1024
/** Usual distance of key frames: the ring has what has come since the last one. */
const USUAL_GOP_MS = 2000

const tls = z.strictObject({
  ca: path({ exists: 'required', is: 'file' }).optional().meta({
    description: 'PEM file of the authorities that are trusted, instead of the well-known ones.',
    reload: 'swap',
  }),
  serverName: z.string().min(1).optional().meta({
    description: 'Name that the certificate must have, and that is sent (SNI); by default the host of the URL.',
    reload: 'swap',
  }),
  insecure: flag().default(false).meta({
    description: 'Accepts any certificate. For tests only: the other end is unknown.',
    reload: 'swap',
  }),
})

const NEXT_CALL = { option: 'mode', is: 'push', reload: 'live', effect: 'the next call has it' } as const
const KEPT = { option: 'mode', is: 'push', reload: 'live', effect: 'the connection stays' } as const

export const rtmpOutputOptions = z
  .strictObject({
    mode: choice('push', 'serve').meta({
      description: '`push`: the output publishes to a server. `serve`: players play the stream from a listener.',
      reload: 'swap',
    }),
    // Names of streams are often no secrets.
    url: secret({ mayBePlain: (text) => !/[?@]/.test(text) })
      .refine((text) => parseRtmpUrl(text) !== undefined, 'must be a URL such as rtmp://host/app/name')
      .optional()
      .meta({
        description:
          'With `push`: where it publishes: `rtmp://[user:password@]host[:port]/app/name[?query]`, or `rtmps://`.',
        reload: 'swap',
      }),
    connectTimeout: duration({ min: 100 })
      .optional()
      .meta({
        description: 'With `push`: time limit for the connection, TLS included; by default 5s.',
        reload: 'swap',
        reloadWhen: [NEXT_CALL],
      }),
    holdFor: duration({ min: 1000 })
      .optional()
      .meta({
        description:
          'With `push`: how long the connection stays open while the stream brings nothing, during a reconnect or a failover of its source; by default 30s. In a pattern pipeline it ends with the copy of the stream, after `linger` of the input. The server is called again when the stream goes on.',
        reload: 'swap',
        reloadWhen: [KEPT],
      }),
    tls: tls.optional().meta({ description: 'With `push` and `rtmps://`: how the server is verified.' }),
    listener: listenerName('rtmp').optional().meta({
      description: 'With `serve`: the listener of protocol `rtmp` that players connect to.',
      reload: 'swap',
    }),
    app: z.string().regex(PATH, NO_PATH).optional().meta({
      description: 'With `serve`: the application of the URL `rtmp://host/APP/STREAM`.',
      reload: 'swap',
    }),
    stream: z.string().max(512).regex(PATH, NO_PATH).optional().meta({
      description:
        'With `serve`: the name under which players play it. By default the key of the copy in a pattern pipeline, and else the name of the pipeline.',
      reload: 'swap',
    }),
    auth: z
      .union([authName(), z.array(authName()).min(1)])
      .optional()
      .meta({
        description:
          'With `serve`: access providers, declared under `auth:`. A viewer is admitted if any provider of the list admits it. By default every viewer is admitted.',
        reload: 'live',
      }),
    clients: viewerLimits().optional().meta({ description: 'With `serve`: limits on the number of viewers.' }),
  })
  .superRefine((options, context) => {
    const refuse = (key: string | undefined, message: string): void => {
      context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message })
    }
    const { mode } = options
    for (const key of mode === 'push' ? SERVE_KEYS : PUSH_KEYS) {
      if (options[key] !== undefined) refuse(key, `must only be set with mode: ${mode === 'push' ? 'serve' : 'push'}`)
    }
    for (const key of mode === 'push' ? (['url'] as const) : (['listener', 'app'] as const)) {
      if (options[key] === undefined) refuse(undefined, `needs \`${key}\``)
    }
  })

export type RtmpOutputOptions = z.output<typeof rtmpOutputOptions>

export function memoryBound({ mode, clients: limits }: RtmpOutputOptions, maxClients: number): number {
  if (mode === 'push') return RING_BYTES + QUEUED_BYTES + CONNECTION_BYTES
  const most = limits === undefined || limits.max === 0 ? Infinity : limits.max
  return RING_BYTES + QUEUED_BYTES + Math.min(most, maxClients) * CONNECTION_BYTES
}

/** Each message of the ring as it is, and as chunks: all receivers have the same ones. */
export function usualMemory(_options: RtmpOutputOptions, bitsPerSecond: number): UsualMemory {
  return { sharedBytes: Math.min(RING_BYTES, Math.ceil(2 * (USUAL_GOP_MS / 8000) * bitsPerSecond)) }
}
