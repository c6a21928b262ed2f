// Errors of a file as a source.
import { defineErrors } from '@millrace/engine/plugin'

export const fileError = defineErrors({
  FILE_UNREADABLE: {
    sentence: 'The file cannot be opened or read.',
    hint: 'Check the path (relative to the folder of the YAML file) and the permissions of the user that runs the engine.',
    reaction: 'retry',
  },
  FILE_NOT_REGULAR: {
    sentence: 'The path is a folder or a device.',
    hint: 'Set `path` to a regular file or a named pipe (FIFO).',
    reaction: 'retry',
  },
  FILE_EMPTY: {
    sentence: 'The file has no bytes, so there is nothing to play.',
    hint: 'Write to the file, or set another path.',
    reaction: 'retry',
  },
  FILE_NO_CLOCK: {
    sentence: 'The file has neither PCRs nor DTS to pace it by.',
    hint: 'Check that it is an MPEG transport stream. To read it as fast as possible, set `pace: none`.',
    reaction: 'config',
  },
  FILE_OTHER_FORMAT: {
    sentence: 'The file or stdin is not a transport stream, but of another format, such as Matroska or MP4.',
    hint: 'Use the input `ffmpeg`, which opens it: `{ type: ffmpeg, url: film.mkv }`, for stdin `{ type: ffmpeg, url: "-" }`.',
    reaction: 'config',
  },
  FILE_PIPE_OPTION: {
    sentence: 'A pipe can be neither paced nor looped.',
    hint: 'Remove `pace` and `loop`: the program that writes into the pipe sets the pace, for example `ffmpeg -re`.',
    reaction: 'config',
  },
  FILE_STDIN: {
    sentence: 'Stdin is not a stream but a terminal, a device or a folder.',
    hint: 'Pipe a stream into the engine (`cat clip.ts | engine run live.yaml`), or set `path` to a file.',
    reaction: 'config',
  },
})

/** The error for a system error about a path. */
export function unreadable(path: string, cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : String(cause)
  // Node adds the path too.
  return fileError('FILE_UNREADABLE', `${path}: ${text.replace(/, \w+ '.*'$/s, '')}`, { cause })
}
