// Why a program no longer gives or takes a stream. `PROCESS_...`, for one that cannot be started, are of the engine.
import { defineErrors } from '@millrace/engine/plugin'

export const execError = defineErrors({
  EXEC_EXITED: {
    sentence: 'The program has ended, and `restart` says that it is started again.',
    hint: 'Its last lines on stderr stand in the message and in the log; run the command by hand to try it.',
    reaction: 'retry',
  },
  EXEC_ENDED: {
    sentence: 'The program has ended, and `restart` says that it is not started again.',
    hint: 'Set `restart: always` for a program that should run forever.',
    reaction: 'end',
  },
  EXEC_SILENT: {
    sentence: 'The program has written nothing for as long as `readTimeout`, and was ended.',
    hint: 'Check what it waits for; set `readTimeout: 0` for a program that waits for others, such as a publisher.',
    reaction: 'retry',
  },
  EXEC_NO_PACKETS: {
    sentence: 'The program has written no packets, or null packets alone, for as long as `readTimeout`, and was ended.',
    hint: 'Check what it writes: the stream that it reads has stopped, or has become something else.',
    reaction: 'retry',
  },
  EXEC_OUTPUT_CLOSED: {
    sentence: 'The program has closed its stdout, and runs on without giving a stream; it was ended.',
    hint: 'Let it write the stream to stdout until it ends: `-f mpegts -` of ffmpeg.',
    reaction: 'retry',
  },
  EXEC_STALLED: {
    sentence: 'The program has read nothing for as long as `stallTimeout`, and was ended.',
    hint: 'Check what it waits for, for example a slow disk or a server that takes no data.',
    reaction: 'retry',
  },
})
