// The errors of nodes at run time, and the message and code of any thrown value.
import { defineErrors, isEngineError } from '../../errors.js'

export const runError = defineErrors({
  NODE_NOT_READY: {
    sentence: 'A node opened by a reload did not become ready in time.',
    hint: 'Nothing has changed. Check why the node is waiting, then reload again.',
    reaction: 'retry',
  },
  NODE_OPEN_TIMEOUT: {
    sentence: 'A node has not acquired its resources within the time that it has for opening.',
    hint: 'Check the resource it has to open: a device, a directory, another program.',
    reaction: 'retry',
  },
  NODE_NO_SUCH_PORT: {
    sentence: 'A transform returned no observable for a port it declares.',
    hint: 'Report it to the author of the plugin.',
    reaction: 'bug',
  },
  NODE_WRONG_ITEM: {
    sentence: 'A node emitted something other than what its port takes.',
    hint: 'Report it to the author of the plugin.',
    reaction: 'bug',
  },
  NODE_UNKNOWN_TOKEN: {
    sentence: 'A plugin injects something that this engine does not provide.',
    hint: 'Install compatible versions of the plugin and the engine.',
    reaction: 'config',
  },
  NODE_OVER: {
    sentence: 'Code of a node asked for a path, a route or an audience after the node had ended or was opened again.',
    hint: 'Report it to the author of the plugin.',
    reaction: 'bug',
  },
  NODE_FAILED: {
    sentence: 'The code of a plugin threw an error that its table of errors does not have.',
    hint: 'This is a bug in the plugin: report it with the log line.',
    reaction: 'bug',
  },
})

/** Of what a plugin has thrown without a row of its own. */
export function nodeFailed(at: string, why: string, cause: unknown): ReturnType<typeof runError> {
  return runError('NODE_FAILED', why, { cause, at })
}

export function codeOf(error: unknown): string {
  return isEngineError(error) ? error.code : 'NODE_FAILED'
}
