import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { type CompletedCommand, renderCompletion, SHELLS } from './render-completion.js'

const run = promisify(execFile)
const json = { flag: '--json', description: "a script's data" }
const COMMANDS: readonly CompletedCommand[] = [
  { name: 'status', description: 'show it', options: [json, { flag: '--watch', description: 'again' }] },
  { name: 'restart', description: 'open it anew', options: [] },
  { name: 'reload', description: 'read again', options: [json] },
  { name: 'plugins ls', description: 'list them', options: [json] },
  { name: 'plugins manifest', description: 'write it', options: [] },
]

/** What bash offers for the last word. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const script = `${renderCompletion('bash', COMMANDS)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _millrace_engine; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['-c', script, 'bash', ...words])
  return stdout.split('\n').filter((line) => line !== '')
}

describe('the completion', () => {
  test('of bash offers commands, then what is below them, then their options', async () => {
    assert.deepEqual(await offered('engine', 're'), ['restart', 'reload'])
    assert.deepEqual(await offered('engine', 'plugins', ''), ['ls', 'manifest'])
    assert.deepEqual(await offered('engine', 'status', '--'), ['--json', '--watch'])
    assert.deepEqual(await offered('engine', 'plugins', 'ls', '--j'), ['--json'])
    assert.deepEqual(await offered('engine', 'status', '--json', 'x'), [])
  })

  for (const shell of SHELLS) {
    test(`of ${shell} has every command and option, and quotes descriptions`, () => {
      const script = renderCompletion(shell, COMMANDS)
      for (const word of ['status', 'restart', 'plugins', 'manifest', 'watch']) assert.ok(script.includes(word), word)
      if (shell !== 'bash') assert.ok(script.includes("a script'\\''s data"))
    })
  }
})
