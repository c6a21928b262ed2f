// Why a reload did not happen, or did not last. In each case the previous configuration keeps running.
import { defineErrors } from '../errors.js'

export const reloadError = defineErrors({
  RELOAD_INVALID: {
    sentence: 'The configuration on disk has mistakes.',
    hint: 'correct what the diagnostics name; `engine check FILE` reports the same without a running engine',
    reaction: 'config',
  },
  RELOAD_REFUSED: {
    sentence: 'A change needs a restart of the engine.',
    hint: 'restart the engine, or undo the change',
    reaction: 'config',
  },
  RELOAD_FAILED: {
    sentence: 'Something that the new configuration needs could not be opened, so nothing was changed.',
    hint: 'see the reason; the engine tries again when the files change, or on `engine reload`',
    reaction: 'end',
  },
  RELOAD_ROLLED_BACK: {
    sentence: 'A changed node failed soon after it took over, and was rolled back.',
    hint: 'correct the node; the engine tries again when the files change, or on `engine reload`',
    reaction: 'end',
  },
  RELOAD_SUPERSEDED: {
    sentence: 'A newer request replaced this one while it was waiting.',
    hint: 'nothing to do: the newer request reads the same files',
    reaction: 'end',
  },
  RELOAD_STOPPING: {
    sentence: 'The engine is stopping.',
    hint: 'start it again',
    reaction: 'end',
  },
  RELOAD_UNSUPERVISED: {
    sentence: 'This engine cannot reload its configuration: it was started by a program, not by `engine run`.',
    hint: 'change the configuration through that program',
    reaction: 'end',
  },
})

export type ReloadErrorCode = keyof typeof reloadError.table
