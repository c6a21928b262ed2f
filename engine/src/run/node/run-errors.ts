// What can go wrong with a node at run time, and what is said of a failure, whatever was thrown.
import { defineErrors, isEngineError } from '../../errors.js'

export const runError = defineErrors({
  NODE_NOT_READY: {
    sentence: 'A node that a reload has opened did not become ready in time.',
    hint: 'Nothing has changed. See why it waits, and reload again.',
    reaction: 'retry',
  },
  NODE_OPEN_TIMEOUT: {
    sentence: 'A node did not open in time.',
    hint: 'Look at what it has to open: a device, a directory, another program.',
    reaction: 'retry',
  },
  NODE_NO_SUCH_PORT: {
    sentence: 'A transform did not return an observable for a port that it declares.',
    hint: 'Report it to the author of the plugin.',
    reaction: 'bug',
  },
  NODE_UNKNOWN_TOKEN: {
    sentence: 'A plugin asks for something that this engine does not have.',
    hint: 'Install versions of the plugin and of the engine that fit each other.',
    reaction: 'config',
  },
  NODE_FAILED: {
    sentence: 'A node failed with an error that is none of the documented ones.',
    hint: 'It is a bug of the plugin: report it with the log line.',
    reaction: 'bug',
  },
})

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function codeOf(error: unknown): string {
  return isEngineError(error) ? error.code : 'NODE_FAILED'
}
