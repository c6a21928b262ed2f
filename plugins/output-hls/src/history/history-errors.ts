// Errors of what is kept on a disk.
import { defineErrors } from '@millrace/engine/plugin'

export const historyError = defineErrors({
  HLS_STORE_READING: {
    sentence: 'The segments of the last run are still being read.',
    hint: 'Nothing needs to be done: the newest segments of a few outputs are read at a time, and each opens when its turn is over. Many outputs that store segments, or a slow disk, take longer.',
    reaction: 'retry',
  },
})
