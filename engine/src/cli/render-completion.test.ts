import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { type CompletedCommand, renderCompletion, SHELLS } from './render-completion.js'

const run = promisify(execFile)
const json = { flag: '--json', description: "a script's data", choices: [] }
const watch = { flag: '--watch', description: 'again', choices: [] }
const format = { flag: '--format', description: 'of it', choices: ['text', 'html'] }
const COMMANDS: readonly CompletedCommand[] = [
  { name: 'status', description: 'show it', options: [json, watch], choices: [] },
  { name: 'restart', description: 'open it anew', options: [], choices: [] },
  { name: 'reload', description: 'read again', options: [json, format], choices: [] },
  { name: 'plugins ls', description: 'list them', options: [json, format], choices: [] },
  { name: 'plugins manifest', description: 'write it', options: [], choices: [] },
  { name: 'completion', description: 'this', options: [json], choices: ['bash', 'zsh'] },
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

  test('of bash offers the values that an option or an argument takes', async () => {
    assert.deepEqual(await offered('engine', 'reload', '--format', ''), ['text', 'html'])
    assert.deepEqual(await offered('engine', 'reload', '--json', '--format', 'h'), ['html'])
    assert.deepEqual(await offered('engine', 'plugins', 'ls', '--format', ''), ['text', 'html'])
    assert.deepEqual(await offered('engine', 'status', '--format', ''), [])
    assert.deepEqual(await offered('engine', 'completion', ''), ['bash', 'zsh'])
    assert.deepEqual(await offered('engine', 'completion', '--'), ['--json'])
  })

  test('of zsh and fish has the values that an option or an argument takes', () => {
    const zsh = renderCompletion('zsh', COMMANDS)
    for (const line of [
      `("reload|"*"|--format") values=(text html) ;;`,
      `("plugins|ls""|--format") values=(text html) ;;`,
      'completion) seconds=(bash zsh) ;;',
    ])
      assert.ok(zsh.includes(line), line)
    const fish = renderCompletion('fish', COMMANDS)
    assert.ok(fish.includes("-l format -x -a 'text html' -d"), fish)
    assert.match(fish, /__fish_seen_subcommand_from completion' -f -a zsh/)
  })

  test('begins with how it is made, as its user types it', () => {
    for (const shell of SHELLS) {
      assert.ok(renderCompletion(shell, COMMANDS, 'npx millrace').includes(`# npx millrace completion ${shell} > `))
    }
  })

  for (const shell of SHELLS) {
    test(`of ${shell} is a script that ${shell}, where it is installed, can parse`, async () => {
      const parsing = run(shell, [shell === 'fish' ? '--no-execute' : '-n'])
      parsing.child.stdin?.on('error', () => undefined).end(renderCompletion(shell, COMMANDS))
      await parsing.catch((error: NodeJS.ErrnoException) => assert.equal(error.code, 'ENOENT', error.message))
    })
  }

  for (const shell of SHELLS) {
    test(`of ${shell} has every command and option, and quotes descriptions`, () => {
      const script = renderCompletion(shell, COMMANDS)
      for (const word of ['status', 'restart', 'plugins', 'manifest', 'watch']) assert.ok(script.includes(word), word)
      if (shell !== 'bash') assert.ok(script.includes("a script'\\''s data"))
    })
  }
})
