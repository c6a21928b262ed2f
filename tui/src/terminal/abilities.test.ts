import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canDraw, readAbilities } from './abilities.js'

const TERMINALS: readonly (readonly [env: Record<string, string>, ascii: boolean, colours: number])[] = [
  [{ TERM: 'xterm-256color', LANG: 'de_DE.UTF-8' }, false, 256],
  [{ TERM: 'tmux-256color', LANG: 'C.UTF-8' }, false, 256],
  [{ TERM: 'xterm-256color', LANG: 'en_US.UTF-8', LC_ALL: 'C' }, true, 256],
  [{ TERM: 'linux', LANG: 'C.UTF-8' }, false, 8],
  [{ TERM: 'screen', LANG: 'C.UTF-8' }, false, 8],
  [{ TERM: 'vt100', LANG: 'C' }, true, 0],
  [{ TERM: 'xterm-ghostty', LANG: 'C.UTF-8' }, false, 256],
  [{ TERM: 'foo', LANG: 'C.UTF-8' }, false, 16],
  [{ LANG: 'C.UTF-8' }, false, 16],
  [{ TERM: 'xterm-256color', NO_COLOR: '1' }, true, 0],
]

test('nothing is forced on a terminal that says otherwise', () => {
  for (const [env, ascii, colours] of TERMINALS) {
    const abilities = readAbilities(env, false)
    assert.deepEqual({ ascii: abilities.ascii, colours: abilities.colours }, { ascii, colours }, JSON.stringify(env))
    assert.ok(abilities.notes.length > 0)
  }
})

test('a remote terminal has more time for the rest of a sequence', () => {
  assert.equal(readAbilities({ TERM: 'xterm' }, false).escapeMs, 50)
  assert.equal(readAbilities({ TERM: 'xterm', SSH_TTY: '/dev/pts/1' }, false).escapeMs, 150)
})

test('a picture needs a terminal that is not dumb', () => {
  assert.equal(canDraw({ TERM: 'xterm' }, true), true)
  assert.equal(canDraw({ TERM: 'dumb' }, true), false)
  assert.equal(canDraw({ TERM: 'xterm' }, false), false)
})
