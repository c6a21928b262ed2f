// The page of errors is generated; what it says of each error has to be worth reading.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { renderErrorsPage } from './docs-pages.mjs'
import { ROOT } from './repository.mjs'

/** Words without a meaning of their own. */
const SMALL = new Set(
  'a an and are as at be by for from has have in is it no not of on or that the this to was which with'.split(' '),
)

/** Cells of the rows, by code. */
function rowsOf(page) {
  const rows = [...page.matchAll(/^\| `([A-Z0-9_]+)`(.*)\|$/gm)]
  return rows.map(([, code, rest]) => [
    code,
    ...rest
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim())
      .slice(1),
  ])
}

test('every error is explained in more words than those of its code, with what to do and what the engine does', () => {
  const rows = rowsOf(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8'))
  assert.ok(rows.length > 150)
  for (const [code, sentence, hint, ...reactions] of rows) {
    const named = code
      .toLowerCase()
      .split('_')
      .map((word) => word.slice(0, 4))
    const words = (sentence.toLowerCase().match(/[a-z]+/g) ?? []).filter((word) => !SMALL.has(word))
    const own = words.filter((word) => !named.some((part) => word.startsWith(part)))
    assert.ok(own.length >= 1, `${code}: ${sentence}`)
    for (const cell of [hint, ...reactions]) assert.notEqual(cell, '', code)
    assert.ok(!sentence.includes(code), code)
  }
})

test('what happens at the start and at a reload is told apart, except for errors that answer a request', () => {
  const of = (code, more) => ({ code, sentence: 'It is so.', hint: 'do', ...more })
  const page = renderErrorsPage([
    { name: 'engine', errors: [of('CONFIG_X', { reaction: 'config' }), of('API_X', { status: 400 })] },
    { name: 'more', errors: [of('LISTEN_IN_USE', { reaction: 'retry' }), of('COMMAND_X', { reaction: 'config' })] },
    { name: 'plugin', errors: [of('FILE_X', { reaction: 'config' }), of('STATE_X', { reaction: 'config' })] },
  ])
  const reactions = Object.fromEntries(rowsOf(page).map(([code, , , ...cells]) => [code, cells]))
  assert.deepEqual(reactions, {
    CONFIG_X: ['does not start', 'keeps what runs'],
    API_X: ['responds with 400'],
    LISTEN_IN_USE: ['does not start', 'keeps what runs, and tries again'],
    COMMAND_X: ['refuses the request'],
    FILE_X: ['stops the node', 'keeps what runs'],
    STATE_X: ['does not start', 'does not occur'],
  })
})
