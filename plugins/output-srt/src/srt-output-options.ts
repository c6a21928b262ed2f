// The options of the output, and the rules between them.
import {
  address,
  authName,
  choice,
  count,
  duration,
  listenerName,
  rate,
  secret,
  size,
  textWithSecrets,
  url,
  usualWindowBytes,
  viewerLimits,
} from '@millrace/engine/plugin'
import type { StreamWindowBounds, UsualMemory } from '@millrace/engine/plugin'
import {
  bufferPacketsFor,
  isKeyLength,
  passphraseProblem,
  secretsOfStreamId,
  streamIdProblem,
  streamIdSecretsOfUrl,
} from '@millrace/srt'
import { callerProblems } from '@millrace/srt/node'
import { z } from 'zod'
import { MOST_KEPT_BYTES } from './paced-stream.js'

const MAX_STREAM_ID_BYTES = 512
/** Keys that have a meaning in one mode alone. */
const CALLER_KEYS = ['address', 'streamId', 'pbkeylen', 'maxRate', 'connectTimeout', 'idle', 'holdFor'] as const
const LISTENER_KEYS = ['listener', 'stream', 'auth', 'clients', 'slow', 'offline', 'window'] as const
const WINDOW_MS = 10_000
const WAIT_MS = 10_000
const WINDOW_BYTES = 64 * 1024 * 1024
/** Of a connection: memory for datagrams on their way, and what it knows of a packet whose payload is in the window. */
const CONNECTION_BYTES = 128 * 1024
const PACKET_BYTES = 32
/** As `npm run bench -- srt-viewers` measures it, without the window: docs/performance.md. */
const USUAL_VIEWER_BYTES = 160 * 1024

const VIEWERS = {
  option: 'mode',
  is: 'listener',
  reload: 'live',
  effect: 'viewers that come later have it; those that watch go on as they are',
} as const
const NEXT_CALL = { option: 'mode', is: 'caller', reload: 'live', effect: 'the next call has it' } as const
const KEPT = { option: 'mode', is: 'caller', reload: 'live', effect: 'the connection stays' } as const
const CALLED_ANEW = {
  option: 'mode',
  is: 'caller',
  reload: 'live',
  effect: 'the receiver is called anew, and sees a gap',
} as const

export const srtOutputOptions = z
  .strictObject({
    mode: choice('listener', 'caller').prefault('listener').meta({
      description:
        '`listener`: viewers call a listener and request the stream. `caller`: the output calls a receiver and publishes.',
      reload: 'swap',
      losesViewers: true,
    }),
    listener: listenerName('srt').optional().meta({
      description: 'With `listener`: the listener of protocol `srt` that viewers call.',
      reload: 'swap',
      losesViewers: true,
    }),
    stream: z.string().min(1).max(MAX_STREAM_ID_BYTES).optional().meta({
      description:
        'With `listener`: the name under which viewers request it. By default the key of the copy in a pattern pipeline, and else the name of the pipeline.',
      reload: 'swap',
      losesViewers: true,
    }),
    auth: z
      .union([authName(), z.array(authName()).min(1)])
      .optional()
      .meta({
        description:
          'With `listener`: access providers, declared under `auth:`. A viewer is admitted if any provider of the list admits it. By default every viewer is admitted.',
        reload: 'live',
      }),
    clients: viewerLimits().optional().meta({ description: 'With `listener`: limits on the number of viewers.' }),
    window: z
      .strictObject({
        duration: duration({ min: 1000, max: 120_000 }).prefault('10s').meta({
          description:
            'How far back the window reaches from which packets are sent again. At least `maxLatency` of the listener, and `latency`; all viewers share it.',
          reload: 'live',
        }),
        size: size({ min: 256 * 1024 })
          .prefault('64MiB')
          .meta({ description: 'Memory limit of the window.', reload: 'live' }),
      })
      .optional()
      .meta({ description: 'With `listener`: how much of the stream is kept for packets that are sent again.' }),
    slow: choice('skip', 'disconnect').optional().meta({
      description:
        'With `listener`: what happens to a viewer for whom packets became too late: `skip`, the default, continues at the next key frame, `disconnect` closes its connection.',
      reload: 'live',
    }),
    offline: z
      .strictObject({
        waitFor: duration({ max: 86_400_000 }).optional().meta({
          description:
            'How long a new viewer, once connected, waits for the first key frame; then its connection is closed. By default 10s; 0 for no limit.',
          reload: 'live',
        }),
      })
      .optional()
      .meta({ description: 'With `listener`: what viewers receive while the stream brings nothing.' }),
    address: z
      .union([address(), url({ schemes: ['srt'], secrets: ['passphrase'], secretParts: streamIdSecretsOfUrl })])
      .optional()
      .meta({
        description:
          'With `caller`: `host:port` of the receiver, or a URL as libsrt has it: `srt://host:port?streamid=cam&latency=200&passphrase=...`, with the latency in milliseconds.',
        reload: 'swap',
        reloadWhen: [CALLED_ANEW],
      }),
    streamId: textWithSecrets(secretsOfStreamId)
      .refine((text) => streamIdProblem(text) === undefined, 'must have 1 to 512 bytes')
      .optional()
      .meta({
        description:
          'With `caller`: what the receiver is told, such as `#!::r=feed,m=publish`. By default nothing is sent.',
        reload: 'swap',
        reloadWhen: [CALLED_ANEW],
      }),
    passphrase: secret()
      .refine((text) => passphraseProblem(text) === undefined, 'must have 10 to 79 characters')
      .optional()
      .meta({
        description:
          '10 to 79 characters that encrypt the stream. By default that of the listener, or with `caller` the stream is plain.',
        reload: 'swap',
        reloadWhen: [VIEWERS, CALLED_ANEW],
        losesViewers: true,
      }),
    pbkeylen: count({ min: 16, max: 32 })
      .refine(isKeyLength, 'must be 16, 24 or 32')
      .transform((bytes) => bytes as 16 | 24 | 32)
      .optional()
      .meta({
        description: 'With `caller` and `passphrase`: length of the key in bytes: 16, 24 or 32. By default 16.',
        reload: 'swap',
        reloadWhen: [CALLED_ANEW],
      }),
    latency: duration({ max: 60_000 })
      .optional()
      .meta({
        description:
          'Least latency; the other end may ask for more. At least four round trips. By default that of the listener, or with `caller` 120ms.',
        reload: 'swap',
        reloadWhen: [VIEWERS, CALLED_ANEW],
        losesViewers: true,
      }),
    maxRate: rate({ min: 100_000 })
      .optional()
      .meta({
        description:
          'With `caller`: upper limit of what is sent, packets that are sent again included (libsrt: `maxbw`, in bytes). By default none.',
        reload: 'swap',
        reloadWhen: [CALLED_ANEW],
      }),
    connectTimeout: duration({ min: 100 })
      .optional()
      .meta({
        description: 'With `caller`: time limit for the handshake; by default 3s.',
        reload: 'swap',
        reloadWhen: [NEXT_CALL],
      }),
    idle: duration({ min: 1000 })
      .optional()
      .meta({
        description:
          'With `caller`: the connection is given up when the receiver is silent for this long; by default 5s.',
        reload: 'swap',
        reloadWhen: [CALLED_ANEW],
      }),
    holdFor: duration({ min: 1000 })
      .optional()
      .meta({
        description:
          'With `caller`: how long the connection stays open while the stream brings nothing, during a reconnect or a failover of its source; by default 30s. In a pattern pipeline it ends with the copy of the stream, after `linger` of the input. The receiver is called again when the stream goes on.',
        reload: 'swap',
        reloadWhen: [KEPT],
      }),
  })
  .superRefine((options, context) => {
    const refuse: Refuse = (key, message) => {
      context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message })
    }
    const isListening = options.mode === 'listener'
    for (const key of isListening ? CALLER_KEYS : LISTENER_KEYS) {
      if (options[key] !== undefined) refuse(key, `must only be set with mode: ${isListening ? 'caller' : 'listener'}`)
    }
    if (isListening && options.listener === undefined) refuse(undefined, 'needs `listener`, or `mode: caller`')
    if (!isListening && options.address === undefined) refuse(undefined, 'needs `address`')
    for (const { key, problem } of isListening ? [] : callerProblems(options)) refuse(key, problem)
  })

type Refuse = (key: string | undefined, message: string) => void

export type SrtOutputOptions = z.output<typeof srtOutputOptions>

/** For viewers. */
export function windowOf({ window }: SrtOutputOptions): StreamWindowBounds {
  return { durationMs: window?.duration ?? WINDOW_MS, sizeBytes: window?.size ?? WINDOW_BYTES }
}

/** For the first key frame; 0 for no limit. */
export function waitMsOf({ offline }: SrtOutputOptions): number {
  return offline?.waitFor ?? WAIT_MS
}

/** For one receiver: packets older than its latency, and than 1 s, are never sent again. */
export function pushWindowOf(latencyMs: number): StreamWindowBounds {
  return { durationMs: Math.max(latencyMs, 1000) + 1000, sizeBytes: WINDOW_BYTES }
}

/** Windows, and what each connection knows of the packets that it has sent. It takes no data from its peer. */
export function memoryBound(options: SrtOutputOptions, maxClients: number): number {
  const { mode, clients } = options
  const connectionBytes = CONNECTION_BYTES + PACKET_BYTES * bufferPacketsFor((options.latency ?? 0) * 1000)
  if (mode === 'caller') return WINDOW_BYTES + MOST_KEPT_BYTES + connectionBytes
  const most = clients === undefined || clients.max === 0 ? Infinity : clients.max
  return windowOf(options).sizeBytes + Math.min(most, maxClients) * connectionBytes
}

/** One window is shared by all viewers; a push has one for what is sent again. */
export function usualMemory(options: SrtOutputOptions, bitsPerSecond: number): UsualMemory {
  if (options.mode === 'caller')
    return { sharedBytes: usualWindowBytes(pushWindowOf(options.latency ?? 0), bitsPerSecond) }
  return { sharedBytes: usualWindowBytes(windowOf(options), bitsPerSecond), viewerBytes: USUAL_VIEWER_BYTES }
}
