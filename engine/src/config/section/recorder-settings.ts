// The key `recorder` of an input: what of its last seconds is written to files, and when.
import { z } from 'zod'
import { RECORDER_EVENTS, type RecorderSettings } from '../../graph/graph.js'
import { DURATION_UNITS, renderAmount, SIZE_UNITS } from '../../plugin/amounts.js'
import { choice, count, duration, path, size } from '../../plugin/options.js'

const MIB = 1024 * 1024

export const RECORDER_SCHEMA = z.strictObject({
  keep: duration({ min: 1000, max: 600_000 })
    .prefault('30s')
    .meta({ description: 'How many of the last seconds before an event a file has.', reload: 'live' }),
  after: duration({ min: 0, max: 60_000 })
    .prefault('5s')
    .meta({ description: 'How many seconds after the event it has.', reload: 'live' }),
  on: z
    .array(choice(...RECORDER_EVENTS))
    .min(1)
    .prefault([...RECORDER_EVENTS])
    .meta({
      description:
        'The events. `disconnect`: the source has failed or has ended its connection, or the publisher has left. `syncLoss`: the bytes are no transport stream any more. `manual`: `engine record NODE`.',
      reload: 'live',
    }),
  size: size({ min: MIB, max: 1024 * MIB })
    .prefault('32MiB')
    .meta({
      description: 'Memory for what is kept; the oldest gives way. Twice as much is used while a file is written.',
      reload: 'live',
    }),
  path: path({ is: 'folder' }).optional().meta({
    description:
      'Folder of the files, which are in PIPELINE/NODE below it. By default `recordings` in the state folder.',
    reload: 'live',
  }),
  maxFiles: count({ min: 1, max: 10_000 })
    .prefault(10)
    .meta({ description: 'Maximum number of files of the input; the oldest is removed.', reload: 'live' }),
  maxSize: size({ min: MIB })
    .prefault('1GiB')
    .meta({ description: 'Maximum size of all files of the input; the oldest are removed.', reload: 'live' }),
})

export function recorderSettings(options: z.output<typeof RECORDER_SCHEMA>): RecorderSettings {
  const { keep, after, on, size: maxBytes, path: folder, maxFiles, maxSize } = options
  const where = folder === undefined ? {} : { path: folder }
  return { keepMs: keep, afterMs: after, on: [...new Set(on)], maxBytes, ...where, maxFiles, maxFileBytes: maxSize }
}

/** In YAML form. */
export function writeRecorder(
  settings: RecorderSettings,
): Readonly<Record<string, string | number | readonly string[]>> {
  const { keepMs, afterMs, on, maxBytes, path: folder, maxFiles, maxFileBytes } = settings
  return {
    keep: renderAmount(keepMs, DURATION_UNITS),
    after: renderAmount(afterMs, DURATION_UNITS),
    on,
    size: renderAmount(maxBytes, SIZE_UNITS),
    ...(folder === undefined ? {} : { path: folder }),
    maxFiles,
    maxSize: renderAmount(maxFileBytes, SIZE_UNITS),
  }
}
