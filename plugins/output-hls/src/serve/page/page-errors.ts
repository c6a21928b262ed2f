// Errors of the player page before an output serves it.
import { defineErrors } from '@millrace/engine/plugin'

export const pageError = defineErrors({
  HLS_PAGE_IMAGE: {
    sentence: 'An image of the player page is missing, cannot be read, or is too large.',
    hint: 'Set `poster` and `logo.image` to image files of at most 2 MiB that the user running the engine can read. Paths are relative to the YAML file.',
    reaction: 'config',
  },
})
