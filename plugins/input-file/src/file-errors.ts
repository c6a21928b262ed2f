// What can go wrong with a file as a source.
import { defineErrors } from '@millrace/engine/plugin'

export const fileError = defineErrors({
  FILE_UNREADABLE: {
    sentence: 'The file cannot be opened or read.',
    hint: 'Check the path (relative to the folder of the YAML file) and the permissions of the user that runs the engine.',
    reaction: 'retry',
  },
  FILE_NOT_REGULAR: {
    sentence: 'The path is a folder, a device or a pipe.',
    hint: 'Give the path of a regular file.',
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
})
