// Why a process could not be started. A program can be missing for a moment only, while it is being updated: retried.
import { defineErrors } from '../errors.js'

export const processError = defineErrors({
  PROCESS_NOT_FOUND: {
    sentence: 'A program is not installed, or its working folder does not exist.',
    hint: 'Install the program, or set its full path; `engine doctor` lists the programs that a configuration needs.',
    reaction: 'retry',
  },
  PROCESS_NOT_STARTED: {
    sentence: 'The system refuses to start a program.',
    hint: 'Check that the file is executable for the user that runs the engine, and the limits of processes, open files and memory.',
    reaction: 'retry',
  },
  PROCESS_LIMIT: {
    sentence: 'The engine, or one node, has started as many processes as it may.',
    hint: 'Raise `engine.maxProcesses`, or remove nodes that start processes.',
    reaction: 'retry',
  },
})
