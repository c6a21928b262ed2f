// The options of the listener. All of them concern connections that come later.
import { count, duration, size } from '@millrace/engine/plugin'
import { z } from 'zod'

export const rtmpListenerOptions = z.strictObject({
  chunkSize: count({ min: 128, max: 65_536 })
    .default(4096)
    .meta({ description: 'Size of the chunks that are sent, in bytes.', reload: 'live' }),
  ackWindow: count({ min: 10_000, max: 1_000_000_000 }).default(2_500_000).meta({
    description: 'After this many bytes the other end acknowledges.',
    reload: 'live',
  }),
  maxMessage: size({ min: 65_536, max: 16 * 1024 * 1024 })
    .prefault('16MiB')
    .meta({
      description: 'Largest message, such as a video frame; a larger one ends the connection.',
      reload: 'live',
    }),
  handshakeTimeout: duration({ min: 100, max: 60_000 }).prefault('10s').meta({
    description: 'Time limit for the handshake.',
    reload: 'live',
  }),
  setupTimeout: duration({ min: 1000, max: 600_000 }).prefault('30s').meta({
    description: 'A connection that neither publishes nor plays ends after this long.',
    reload: 'live',
  }),
  ping: duration({ min: 1000, max: 600_000 }).prefault('30s').meta({
    description: 'Time between two pings.',
    reload: 'live',
  }),
  pingTimeout: duration({ min: 1000, max: 600_000 }).prefault('30s').meta({
    description: 'A connection ends when nothing has come for this long after a ping.',
    reload: 'live',
  }),
  writeTimeout: duration({ min: 1000, max: 600_000 }).prefault('30s').meta({
    description: 'A connection ends when its other end has taken nothing for this long.',
    reload: 'live',
  }),
})

export type RtmpListenerOptions = z.output<typeof rtmpListenerOptions>
