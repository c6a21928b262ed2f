import { setImmediate } from 'node:timers/promises'
import { contract } from '@millrace/engine/testing'
import { execInput } from './exec-input.js'
import { execOutput } from './exec-output.js'

const input = { command: ['sh', '-c', 'head -c 100000 /dev/zero; sleep 1000'], cwd: '/' }
contract(execInput, {
  options: input,
  refused: [
    { ...input, command: 'sleep 1000' },
    { ...input, env: { 'A=B': 'c' } },
  ],
  async work({ context }) {
    while (!context.reported.includes('ready')) await setImmediate()
  },
})

const output = { command: ['cat'], cwd: '/' }
contract(execOutput, {
  options: output,
  live: { stallTimeout: '10s', restart: 'never', grace: '1s', stopSignal: 'SIGINT' },
  refused: [
    { ...output, command: [] },
    { ...output, command: ['no-such-program'] },
  ],
})
