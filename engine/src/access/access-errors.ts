// What can go wrong with access, beside refusals, which are answers.
import { defineErrors } from '../errors.js'

export const accessError = defineErrors({
  AUTH_UNKNOWN: {
    sentence: 'A node names a provider of access that the configuration does not have.',
    hint: 'Declare it under `auth:`.',
    reaction: 'config',
  },
})
