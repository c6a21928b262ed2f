// Errors of the input; those of the socket itself are the engine's (SOCKET_...).
import { defineErrors } from '@millrace/engine/plugin'

export const unixError = defineErrors({
  UNIX_ENDED: {
    sentence: 'The program behind the socket has closed the connection.',
    hint: 'Check whether it still runs, and its log.',
    reaction: 'retry',
  },
  UNIX_SILENT: {
    sentence: 'No byte arrived for `readTimeout`.',
    hint: 'Check that the program behind the socket still receives a stream itself.',
    reaction: 'retry',
  },
  UNIX_NO_PACKETS: {
    sentence: 'Bytes arrived for `readTimeout`, but no packets among them, or null packets alone.',
    hint: 'Check the program behind the socket: its stream has stopped, or has become something else.',
    reaction: 'retry',
  },
})
