// Input and output `exec`: a stream from a program, and a stream into one.
import { execInput } from './exec-input.js'
import { execOutput } from './exec-output.js'

export default [execInput, execOutput]
