// The errors of access control, apart from refusals, which are ordinary answers.
import { defineErrors } from '../errors.js'

export const accessError = defineErrors({
  AUTH_UNKNOWN: {
    sentence: 'A node names an auth provider that the configuration does not declare.',
    hint: 'declare it under auth:',
    reaction: 'config',
  },
})
