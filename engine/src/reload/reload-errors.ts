// Why a reload did not happen, or did not last. In each case the previous configuration keeps running.
import { defineErrors, type EngineError } from '../errors.js'

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
    hint: 'see the reason; what did not answer is tried again by itself, anything else when the files change or on `engine reload`; with --force, nodes take over that are not ready',
    reaction: 'end',
  },
  RELOAD_COPIES_FAILED: {
    sentence: 'No copy of a pattern pipeline that has tried the change can follow it, so nothing was changed.',
    hint: 'correct what the reason names; the engine tries again when the files change, or on `engine reload`',
    reaction: 'config',
  },
  RELOAD_ROLLED_BACK: {
    sentence: 'A changed node failed soon after it took over, and was rolled back.',
    hint: 'correct the node; the engine tries again when the files change, or on `engine reload`',
    reaction: 'end',
  },
  RELOAD_OUTDATED: {
    sentence: 'A node was rolled back while this change was waiting, so nothing was changed.',
    hint: 'a reload is tried again by itself; send an edit once more',
    reaction: 'retry',
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

/** The plan is not for what runs now. */
export function outdated(): EngineError {
  return reloadError('RELOAD_OUTDATED', reloadError.table.RELOAD_OUTDATED.sentence)
}

export type ReloadErrorCode = keyof typeof reloadError.table
