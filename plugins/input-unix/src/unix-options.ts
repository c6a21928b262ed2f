// The options of the input, and the rules between them.
import { choice, duration, path } from '@millrace/engine/plugin'
import { z } from 'zod'

/** sockaddr_un holds 108 bytes, with a zero at the end (unix(7)). */
const MAX_PATH_BYTES = 107

export const unixOptions = z
  .strictObject({
    path: path({ is: 'file' }).meta({
      description: 'The socket file, relative to the folder of the YAML file; at most 107 bytes as an absolute path.',
      reload: 'source',
    }),
    mode: choice('listen', 'connect').default('listen').meta({
      description:
        '`listen`: the input makes the socket, and a program connects and writes. `connect`: the input connects to the socket of a program, and reads.',
      reload: 'source',
    }),
    secondWriter: choice('wait', 'replace').default('wait').meta({
      description:
        'With `mode: listen`, what happens to a writer that connects while another one writes: `wait` lets it wait until that one has gone (at most 8 wait), `replace` disconnects the other one.',
      reload: 'live',
    }),
    permissions: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'must be three octal digits in quotes, such as "0660"')
      .default('0660')
      .meta({
        description:
          'With `mode: listen`, the permissions of the socket file: users who may write to it may connect. In quotes.',
        reload: 'live',
      }),
    readTimeout: duration().prefault('0').meta({
      description:
        'A writer that writes nothing for this long is disconnected; with `mode: connect`, the input connects again. 0 for never.',
      reload: 'live',
    }),
  })
  .superRefine(({ path }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', path: ['path'], message })
    if (path === '-') refuse('must be the path of a socket')
    if (new TextEncoder().encode(path).length > MAX_PATH_BYTES) {
      refuse(`must have at most ${MAX_PATH_BYTES} bytes as an absolute path: the system allows no more`)
    }
  })

export type UnixOptions = z.output<typeof unixOptions>
