// Errors of the files that a node writes. Each concerns one node.
import { defineErrors } from '../errors.js'

export const storeError = defineErrors({
  STORE_BUSY: {
    sentence: 'A node writes more than its disk takes.',
    hint: 'check whether the disk of engine.stateDir answers',
    reaction: 'retry',
  },
  STORE_FAILED: {
    sentence: 'A file in the folder of a node cannot be read or written.',
    hint: 'check the free space and the permissions of engine.stateDir',
    reaction: 'retry',
  },
  STORE_FOLDER: {
    sentence: 'A folder that the configuration names cannot be created or written.',
    hint: 'name a folder that the user of the engine can write, by its absolute path',
    reaction: 'config',
  },
  STORE_NAME: {
    sentence: 'A node names a file that cannot be in its folder.',
    hint: 'Report it to the author of the plugin.',
    reaction: 'bug',
  },
})
