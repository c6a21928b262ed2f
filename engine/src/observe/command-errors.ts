// Why a command of a node was not carried out. The API answers with these; no node fails because of them.
import { defineErrors } from '../errors.js'

export const commandError = defineErrors({
  COMMAND_UNKNOWN_NODE: {
    sentence: 'The node that a command is for does not exist.',
    hint: 'GET /api/v1/status and `engine status` list the nodes.',
    reaction: 'config',
  },
  COMMAND_UNKNOWN: {
    sentence: 'The node has no such command.',
    hint: '`engine inspect TYPE` and GET /api/v1/node-types list the commands of a type.',
    reaction: 'config',
  },
  COMMAND_INPUT: {
    sentence: 'The values given to a command are not those that it takes.',
    hint: '`engine inspect TYPE` says what the command takes.',
    reaction: 'config',
  },
  COMMAND_NODE_CLOSED: {
    sentence: 'The node is not open: it is opening, has ended, or has failed.',
    hint: '`engine status` says why. Try again when the node is open.',
    reaction: 'retry',
  },
  COMMAND_BUSY: {
    sentence: 'Too many commands of the node are waiting for their turn.',
    hint: 'Wait for the answers to earlier commands.',
    reaction: 'retry',
  },
  COMMAND_TIMEOUT: {
    sentence: 'A command was not finished in time, or did not get its turn.',
    hint: 'A command that has begun goes on, and others of the node wait for it. `engine status` shows the state of the node.',
    reaction: 'retry',
  },
  COMMAND_FAILED: {
    sentence: 'A command failed with an undocumented error, or its answer cannot be shown.',
    hint: 'This is a bug in the plugin: report it with the log line.',
    reaction: 'bug',
  },
})
