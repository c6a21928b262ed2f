// Why a reload did not take place, or did not last. What ran before goes on running in each case.
import { defineErrors } from '../errors.js'

export const reloadError = defineErrors({
  RELOAD_INVALID: {
    sentence: 'The configuration on disk has mistakes.',
    hint: 'correct what the diagnostics name; `engine check FILE` says the same without a running engine',
    reaction: 'config',
  },
  RELOAD_REFUSED: {
    sentence: 'Something has changed that only a restart can change.',
    hint: 'restart the engine, or change it back',
    reaction: 'config',
  },
  RELOAD_FAILED: {
    sentence: 'What the new configuration needs could not be opened, so nothing was changed.',
    hint: 'see the reason; the next change of the files, or `engine reload`, tries again',
    reaction: 'end',
  },
  RELOAD_ROLLED_BACK: {
    sentence: 'A changed node failed soon after it took over, and what ran before runs again.',
    hint: 'correct the node; the next change of the files, or `engine reload`, tries again',
    reaction: 'end',
  },
  RELOAD_SUPERSEDED: {
    sentence: 'A newer request took the place of this one while it waited.',
    hint: 'nothing: the newer one reads the same files',
    reaction: 'end',
  },
  RELOAD_STOPPING: {
    sentence: 'The engine is stopping.',
    hint: 'start it again',
    reaction: 'end',
  },
  RELOAD_UNSUPERVISED: {
    sentence: 'Nobody reads the configuration of this engine again: it was started by a program, not by `engine run`.',
    hint: 'ask that program',
    reaction: 'end',
  },
})

export type ReloadErrorCode = keyof typeof reloadError.table
