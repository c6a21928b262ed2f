// Why the input gives no stream. `PROCESS_...`, for a program that cannot be started, are of the engine.
import { defineErrors } from '@millrace/engine/plugin'

export const inputError = defineErrors({
  FFMPEG_INPUT_EXITED: {
    sentence: 'FFmpeg has ended, and is started again.',
    hint: 'Its last lines stand in the message and in the log. Check `url`, `format` and `inputArgs`: does `ffmpeg -i URL` open it?',
    reaction: 'retry',
  },
  FFMPEG_INPUT_ENDED: {
    sentence:
      'FFmpeg has failed, and is not started again: `restart: never`, or it has read stdin, which is there only once.',
    hint: 'Its last lines stand in the message and in the log.',
    reaction: 'end',
  },
  FFMPEG_INPUT_SILENT: {
    sentence: 'FFmpeg has written nothing for as long as `readTimeout`, and was ended.',
    hint: 'Check whether the source sends anything; raise `readTimeout` if it needs longer to begin.',
    reaction: 'retry',
  },
  FFMPEG_INPUT_MEMORY: {
    sentence: 'FFmpeg has taken more memory than `maxMemory`, and was ended.',
    hint: 'Raise `maxMemory` if the source needs it, such as pictures of 8K.',
    reaction: 'retry',
  },
  FFMPEG_INPUT_STDIN: {
    sentence: 'Stdin is not a stream but a terminal, a device or a folder.',
    hint: 'Pipe a file into the engine (`cat film.mkv | engine run live.yaml`), or set `url` to a file.',
    reaction: 'config',
  },
})
