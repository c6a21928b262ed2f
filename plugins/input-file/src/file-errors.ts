// What can go wrong with a file as a source.
import { defineErrors } from '@millrace/engine/plugin'

export const fileError = defineErrors({
  FILE_UNREADABLE: {
    sentence: 'The file cannot be opened or read.',
    hint: 'Check the path (relative to the folder of the YAML file) and the permissions of the user that runs the engine.',
    reaction: 'retry',
  },
  FILE_NOT_REGULAR: {
    sentence: 'The path is a folder or a device.',
    hint: 'Give the path of a regular file or of a named pipe (FIFO).',
    reaction: 'retry',
  },
  FILE_EMPTY: {
    sentence: 'The file has no bytes.',
    hint: 'Wait until it is written, or give another path.',
    reaction: 'retry',
  },
  FILE_NO_CLOCK: {
    sentence: 'The file has no PCR by which it could be paced.',
    hint: 'Is it an MPEG transport stream? If it is, and is to be read at once, say `pace: none`.',
    reaction: 'config',
  },
  FILE_PIPE_OPTION: {
    sentence: 'A pipe can neither be paced nor read again.',
    hint: 'Leave `pace` and `loop` out: what writes into the pipe sets the pace, `ffmpeg -re` for one.',
    reaction: 'config',
  },
  FILE_STDIN: {
    sentence: 'Stdin is no stream: a terminal, a device or a folder.',
    hint: 'Pipe a stream into the engine, `cat clip.ts | engine run live.yaml`, or give the path of a file.',
    reaction: 'config',
  },
})

/** For whatever the system says about a path. */
export function unreadable(path: string, cause: unknown): Error {
  return fileError('FILE_UNREADABLE', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
