// The options of the input, and the rules between them.
import { choice, duration, flag, listenerName, path, secret } from '@millrace/engine/plugin'
import { parseRtmpUrl } from '@millrace/rtmp'
import { z } from 'zod'

/** Keys that have a meaning in one mode alone. */
const PULL_KEYS = ['url', 'connectTimeout', 'readTimeout', 'tls'] as const
const LISTEN_KEYS = ['listener', 'app', 'idle'] as const

export const rtmpOptions = z
  .strictObject({
    mode: choice('listen', 'pull').prefault('listen').meta({
      description: '`listen`: encoders publish to a listener. `pull`: the input plays a stream from a server.',
      reload: 'source',
    }),
    listener: listenerName('rtmp').optional().meta({
      description: 'With `listen`: the listener of protocol `rtmp` that encoders connect to.',
      reload: 'source',
    }),
    app: z
      .string()
      .regex(/^[^/\s?#]+(\/[^/\s?#]+)*$/, 'must be a path without slashes at its ends, query and spaces')
      .optional()
      .meta({
        description:
          'With `listen`: takes what is published under this application; what follows it in the URL is the key, without its query.',
        reload: 'source',
      }),
    // Names of streams are often no secrets.
    idle: duration({ min: 1000, max: 86_400_000 }).optional().meta({
      description:
        'With `listen`: a publisher that has sent neither audio nor video for this long is disconnected; by default 1m. A still picture of any bit rate is video.',
      reload: 'source',
    }),
    url: secret({ mayBePlain: (text) => !/[?@]/.test(text) })
      .refine((text) => parseRtmpUrl(text) !== undefined, 'must be a URL such as rtmp://host/app/name')
      .optional()
      .meta({
        description: 'With `pull`: what is played: `rtmp://host[:port]/app/name[?query]`, or `rtmps://`.',
        reload: 'source',
      }),
    connectTimeout: duration({ min: 100 }).optional().meta({
      description: 'With `pull`: time limit for the connection, TLS included; by default 5s.',
      reload: 'source',
    }),
    readTimeout: duration({ min: 1000 }).optional().meta({
      description: 'With `pull`: the connection is closed when no media have come for this long; by default 10s.',
      reload: 'source',
    }),
    sync: duration({ min: 1, max: 1000 }).prefault('1ms').meta({
      description:
        'How far time stamps of audio may be from the count of its samples before they count again: stamps in whole milliseconds alone would crackle.',
      reload: 'source',
    }),
    tls: z
      .strictObject({
        ca: path({ exists: 'required', is: 'file' }).optional().meta({
          description: 'PEM file of the authorities that are trusted, instead of the well-known ones.',
          reload: 'source',
        }),
        serverName: z.string().min(1).optional().meta({
          description: 'Name that the certificate must have, and that is sent (SNI); by default the host of the URL.',
          reload: 'source',
        }),
        insecure: flag().default(false).meta({
          description: 'Accepts any certificate. For tests only: the other end is unknown.',
          reload: 'source',
        }),
      })
      .optional()
      .meta({ description: 'With `pull` and `rtmps://`: how the server is verified.' }),
  })
  .superRefine((options, context) => {
    const refuse = (key: string | undefined, message: string): void => {
      context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message })
    }
    const isListening = options.mode === 'listen'
    for (const key of isListening ? PULL_KEYS : LISTEN_KEYS) {
      if (options[key] !== undefined) refuse(key, `must only be set with mode: ${isListening ? 'pull' : 'listen'}`)
    }
    if (!isListening && options.url === undefined) refuse(undefined, 'needs `url`')
    if (!isListening) return
    if (options.listener === undefined) refuse(undefined, 'needs `listener`, or `mode: pull`')
    else if (options.app === undefined) refuse(undefined, 'needs `app`')
  })

export type RtmpInputOptions = z.output<typeof rtmpOptions>
