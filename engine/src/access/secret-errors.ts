// Errors of nodes that read and hide secrets. None of them contains the value of a secret.
import { defineErrors } from '../errors.js'

export const secretError = defineErrors({
  SECRET_UNKNOWN: {
    sentence: 'A node reads a secret that the configuration does not declare.',
    hint: 'declare it: secrets: { name: { env: VARIABLE } }, or { file: path }',
    reaction: 'config',
  },
  SECRET_NOT_HIDDEN: {
    sentence: 'A node hides more secrets than the engine masks, or one that is too long.',
    hint: 'Report it to the author of the plugin: a value that is no longer used must be disposed.',
    reaction: 'bug',
  },
})
