// Why a node was not restarted, stopped or tapped. The API answers with these; no node fails because of them.
import { defineErrors } from '../errors.js'

export const operatorError = defineErrors({
  NODE_ACTION_UNKNOWN: {
    sentence: 'The node that an action, an explanation or a tap is for does not exist.',
    hint: 'GET /api/v1/status and `engine status` list the nodes.',
    reaction: 'config',
  },
  NODE_ACTION_OVER: {
    sentence: 'A node that has ended, or has failed for good, cannot be stopped or opened anew.',
    hint: 'Restart a failed node. One whose stream has ended opens again with the engine, or when a reload replaces it.',
    reaction: 'config',
  },
  TAP_NO_PORT: {
    sentence: 'Nothing can be read at this port: the node is an output, or has no such port.',
    hint: 'Name the node that the output reads; GET /api/v1/status lists the ports of transforms.',
    reaction: 'config',
  },
  TAP_TOO_MANY: {
    sentence: 'As many taps as allowed are open.',
    hint: 'Close a tap that is not needed.',
    reaction: 'retry',
  },
})
