// Errors of the state folder. None is a mistake in the YAML, and none goes away by retrying.
import { defineErrors } from '../errors.js'

export const stateError = defineErrors({
  STATE_LOCKED: {
    sentence: 'Another engine uses this state folder.',
    hint: 'stop the other engine, or give each engine its own engine.stateDir',
    reaction: 'end',
  },
  STATE_UNUSABLE: {
    sentence: 'The state folder cannot be created, read or written.',
    hint: 'set engine.stateDir to a folder that this user can write',
    reaction: 'end',
  },
  STATE_TOKEN_EXPOSED: {
    sentence: 'Other users of this machine can read or replace the token of the control API.',
    hint: 'remove the file to get a new token at the next start, or make it a file of this user with mode 600',
    reaction: 'end',
  },
  STATE_TOKEN_INVALID: {
    sentence: 'The token file of the control API does not contain a valid token.',
    hint: 'remove the file to get a new token at the next start',
    reaction: 'end',
  },
})
