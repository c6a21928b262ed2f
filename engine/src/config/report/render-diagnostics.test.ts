import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Diagnostic } from './diagnostic.js'
import { renderGithub, renderJson, renderText } from './render-diagnostics.js'

const DIAGNOSTIC: Diagnostic = {
  severity: 'error',
  code: 'CONFIG_UNKNOWN_NODE',
  message: '"check" reads from "mian", which does not exist',
  file: 'pipelines/live.yaml',
  line: 13,
  column: 15,
  endColumn: 19,
  help: 'did you mean "main"?',
  source: '        from: mian',
}

const TEXT = `error[CONFIG_UNKNOWN_NODE]: "check" reads from "mian", which does not exist
  --> pipelines/live.yaml:13:15
   |
13 |         from: mian
   |               ^^^^
   = help: did you mean "main"?

1 error in pipelines/live.yaml
`

test('the text has the line, a caret and a count', () => {
  assert.equal(renderText([DIAGNOSTIC]), TEXT)
  assert.equal(renderText([]), '')
  const last = renderText([DIAGNOSTIC, { ...DIAGNOSTIC, severity: 'warning' }, { ...DIAGNOSTIC, file: 'b' }])
  assert.ok(last.endsWith('\n2 errors in pipelines/live.yaml, b\n'))
})

test('a line that must not be shown is left out', () => {
  const text = renderText([{ ...DIAGNOSTIC, source: undefined }])
  assert.ok(!text.includes('|') && text.includes('= help'))
})

test('a long line is shown around the caret, and control characters are not passed on', () => {
  const source = `${'a'.repeat(5000)}\u001b[2Jbad${'b'.repeat(5000)}`
  const text = renderText([{ ...DIAGNOSTIC, source, column: 5001, endColumn: 9000 }])
  assert.ok(text.length < 700 && !text.includes('\u001b'))
  const [, , , line = '', carets = ''] = text.split('\n')
  assert.equal(line.indexOf('[2J'), carets.indexOf('^') + 1)
})

test('JSON has one object per diagnostic', () => {
  const [row] = JSON.parse(renderJson([DIAGNOSTIC])) as readonly Record<string, unknown>[]
  const { source: _, ...expected } = DIAGNOSTIC
  assert.deepEqual(row, expected)
  assert.equal(renderJson([]), '[]\n')
})

test('annotations are one line each, escaped', () => {
  const text = renderGithub([{ ...DIAGNOSTIC, file: 'a:b,c', message: '100%\nmore' }])
  assert.equal(
    text,
    '::error file=a%3Ab%2Cc,line=13,col=15,endColumn=19,title=CONFIG_UNKNOWN_NODE::100%25%0Amore%0Adid you mean "main"?\n',
  )
})
