// Errors of the state folder. None is a mistake in the YAML, and none goes away by trying again.
import { defineErrors } from '../errors.js'

export const stateError = defineErrors({
  STATE_LOCKED: {
    sentence: 'Another engine uses this state folder.',
    hint: 'stop the other engine, or give each one an engine.stateDir of its own',
    reaction: 'end',
  },
  STATE_UNUSABLE: {
    sentence: 'The state folder can not be made, read or written.',
    hint: 'let engine.stateDir name a folder that this user may write',
    reaction: 'end',
  },
  STATE_TOKEN_EXPOSED: {
    sentence: 'Others on this machine can read or replace the token of the control API.',
    hint: 'remove the file, and a new token is made at the next start; or give it to this user with mode 600',
    reaction: 'end',
  },
  STATE_TOKEN_INVALID: {
    sentence: 'The file with the token of the control API holds no token.',
    hint: 'remove the file, and a new token is made at the next start',
    reaction: 'end',
  },
})
