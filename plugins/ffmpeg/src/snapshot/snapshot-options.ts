// The options of the output.
import { authName, choice, count, duration, listenerName } from '@millrace/engine/plugin'
import { z } from 'zod'

/** RFC 6454 section 6.2, and `*` for all. */
const ORIGIN = /^(?:\*|https?:\/\/[^/\s?#@]+)$/

const origin = (): z.ZodString => z.string().regex(ORIGIN, 'must be an origin such as https://tv.example, or *')

export const snapshotOptions = z.strictObject({
  listener: listenerName().meta({ description: 'The listener that serves the picture.', reload: 'rebind' }),
  path: z
    .string()
    .regex(/^\/|\$\{/, 'must start with /')
    .meta({ description: 'The path of the picture, such as `/one/poster.jpg`.', reload: 'rebind' }),
  every: duration({ min: 1000, max: 86_400_000 }).prefault('10s').meta({
    description:
      'Time between two pictures, each of the newest key frame. A picture takes about a third of a second of CPU time.',
    reload: 'live',
  }),
  format: choice('jpeg', 'webp').default('jpeg').meta({ description: 'Format of the picture.', reload: 'swap' }),
  width: count({ min: 16, max: 7680 }).optional().meta({
    description: 'Width of the picture in pixels; its height follows. By default that of the video.',
    reload: 'live',
  }),
  quality: count({ min: 1, max: 100 })
    .default(80)
    .meta({ description: 'Quality of the picture: 100 is the best, and the largest.', reload: 'live' }),
  auth: z
    .union([authName(), z.array(authName()).min(1)])
    .optional()
    .meta({
      description:
        'Access providers, declared under `auth:`. A request is admitted if any provider of the list admits it. By default every request is admitted.',
      reload: 'live',
    }),
  cors: z
    .union([origin(), z.array(origin()).min(1)])
    .optional()
    .meta({
      description:
        'Origins whose web pages may read the picture, such as https://tv.example, or `*` for all of them. Pages can show it in any case. By default none.',
      reload: 'live',
    }),
})

export type SnapshotOptions = z.output<typeof snapshotOptions>
