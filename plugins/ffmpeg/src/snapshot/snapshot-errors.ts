// Why there is no picture: answers to the command `snapshot`.
import { defineErrors } from '@millrace/engine/plugin'

export const snapshotError = defineErrors({
  SNAPSHOT_NO_KEY_FRAME: {
    sentence: 'No key frame has arrived so far, so there is nothing to make a picture of.',
    hint: 'Check that the input runs, and that its stream has pictures which are not scrambled.',
    reaction: 'retry',
  },
  SNAPSHOT_FAILED: {
    sentence: 'FFmpeg has made no picture of the key frame.',
    hint: 'Its last lines stand in the message. A damaged key frame is left out; the next one is tried.',
    reaction: 'retry',
  },
})
