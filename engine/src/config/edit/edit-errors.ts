// Why a configuration was not edited through the control API. Nothing has been written then.
import { defineErrors } from '../../errors.js'

export const editError = defineErrors({
  EDIT_UNKNOWN_NODE: {
    sentence: 'There is no node of this name to edit.',
    hint: '`engine status` lists the nodes; of a copy, edit the pattern pipeline: cam/main, not cam@key/main',
    reaction: 'config',
  },
  EDIT_VALUE: {
    sentence: 'The values of an edit are not acceptable: a text has ${ or *** in it, or they are nested too deeply.',
    hint: 'variables, secrets and parameters are written in the file by hand; *** stands for what the API does not show',
    reaction: 'config',
  },
  EDIT_ELSEWHERE: {
    sentence:
      'What is to be edited is not written at the node itself: it comes through <<, an alias, a template, a variable or a flag.',
    hint: 'change it by hand where the message says',
    reaction: 'config',
  },
  EDIT_OTHERS: {
    sentence: 'The edit would also change something other than the node.',
    hint: 'change it by hand: the value has an anchor that others use',
    reaction: 'config',
  },
  EDIT_LAYOUT: {
    sentence: 'The file is written in a way that cannot be edited without risk.',
    hint: 'change it by hand; plain keys and values, one to a line or in { }, can be edited',
    reaction: 'config',
  },
  EDIT_NOT_WRITABLE: {
    sentence: 'The file cannot be replaced.',
    hint: 'the engine needs to write the file and its folder, and to keep its owner; a file that is mounted on its own cannot be replaced: mount its folder',
    reaction: 'config',
  },
  EDIT_CONFLICT: {
    sentence:
      'The files have changes that do not run: somebody else is editing them, they have mistakes, or changes are not applied automatically.',
    hint: '`engine reload --plan` shows what differs; apply or undo it, then try again',
    reaction: 'end',
  },
  EDIT_STALE: {
    sentence: 'The configuration is not the one that If-Match names, or the result not the one that `expect` names.',
    hint: 'see what has changed, and plan it again; GET /api/v1/config has the ETag for If-Match',
    reaction: 'end',
  },
  EDIT_BUSY: {
    sentence: 'Too many edits are waiting.',
    hint: 'try again later',
    reaction: 'retry',
  },
  HISTORY_UNKNOWN: {
    sentence: 'There is no configuration with this id in the history.',
    hint: '`engine history` lists them',
    reaction: 'config',
  },
  HISTORY_FILES: {
    sentence: 'The earlier configuration consisted of other files than those that would be read now.',
    hint: 'move files away that `include` finds and that did not exist then, or create those that are missing, empty',
    reaction: 'config',
  },
})
