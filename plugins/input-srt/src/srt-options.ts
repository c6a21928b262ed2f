// The options of the input, and the rules between them.
import { address, choice, duration, listenerName, textWithSecrets, url } from '@millrace/engine/plugin'
import { secretsOfStreamId, streamIdProblem, streamIdSecretsOfUrl } from '@millrace/srt'
import { callerProblems } from '@millrace/srt/node'
import { z } from 'zod'
import { keyLength, passphrase, reorderTolerance } from './listener-options.js'

const SENDERS = {
  option: 'mode',
  is: 'listener',
  reload: 'live',
  effect: 'senders that come later have it; those that are connected go on as they are',
} as const

/** Keys that have a meaning in one mode alone. */
const CALLER_KEYS = ['address', 'streamId', 'pbkeylen', 'reorderTolerance', 'connectTimeout', 'readTimeout'] as const
const LISTENER_KEYS = ['listener', 'app', 'idle'] as const

export const srtOptions = z
  .strictObject({
    mode: choice('listener', 'caller').prefault('listener').meta({
      description: '`listener`: senders call a listener and publish. `caller`: the input calls a sender.',
      reload: 'source',
    }),
    listener: listenerName('srt').optional().meta({
      description: 'With `listener`: the listener of protocol `srt` that senders call.',
      reload: 'source',
    }),
    app: z
      .string()
      .regex(/^[^/\s]+$/, 'must be one word without /')
      .optional()
      .meta({
        description:
          'With `listener`: takes only names that begin with this and `/`; what follows is the key. By default the whole name is the key.',
        reload: 'source',
      }),
    idle: duration({ min: 1000, max: 86_400_000 })
      .optional()
      .meta({
        description:
          'With `listener`: a sender that stays connected, and sends no data for this long, is disconnected. By default it may be silent for as long as it is connected.',
        reload: 'source',
        reloadWhen: [{ ...SENDERS, effect: 'it counts for senders that are connected, too' }],
      }),
    address: z
      .union([address(), url({ schemes: ['srt'], secrets: ['passphrase'], secretParts: streamIdSecretsOfUrl })])
      .optional()
      .meta({
        description:
          'With `caller`: `host:port` of the sender, or a URL as libsrt has it: `srt://host:port?streamid=cam&latency=200&passphrase=...`, with the latency in milliseconds.',
        reload: 'source',
      }),
    streamId: textWithSecrets(secretsOfStreamId)
      .refine((text) => streamIdProblem(text) === undefined, 'must have 1 to 512 bytes')
      .optional()
      .meta({
        description:
          'With `caller`: what the sender is asked for, such as `#!::r=cam,m=request`. By default nothing is sent.',
        reload: 'source',
      }),
    passphrase: passphrase()
      .optional()
      .meta({
        description:
          '10 to 79 characters that encrypt the stream. By default that of the listener, or with `caller` the stream is plain.',
        reload: 'source',
        reloadWhen: [SENDERS],
      }),
    pbkeylen: keyLength().optional().meta({
      description: 'With `caller` and `passphrase`: length of the key in bytes: 16, 24 or 32. By default 16.',
      reload: 'source',
    }),
    latency: duration({ max: 60_000 })
      .optional()
      .meta({
        description:
          'Least latency; the other end may ask for more. At least four round trips. By default that of the listener, or with `caller` 120ms.',
        reload: 'source',
        reloadWhen: [SENDERS],
      }),
    reorderTolerance: reorderTolerance().optional().meta({
      description:
        'With `caller`: packets by which a reordered one may be late before it is reported as lost (libsrt: `lossmaxttl`); by default 0. Senders that call have that of the listener.',
      reload: 'source',
    }),
    connectTimeout: duration({ min: 100 }).optional().meta({
      description: 'With `caller`: time limit for the handshake; by default 3s.',
      reload: 'live',
    }),
    readTimeout: duration({ min: 1000 }).optional().meta({
      description:
        'With `caller`: the connection is closed when nothing comes from the other end, or no packets of a transport stream, for this long; by default 5s.',
      reload: 'source',
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

export type SrtInputOptions = z.output<typeof srtOptions>
