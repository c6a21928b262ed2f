import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutLine, MAX_LINE } from './cut-line.js'

const HEAD = { level: 'warn', time: 'now', node: 'live/main' }

test('a line of normal length is not changed', () => {
  const line = `${JSON.stringify({ ...HEAD, msg: 'x'.repeat(10_000) })}\n`
  assert.equal(cutLine(line), line)
})

test('a line that is too long is cut, keeps level, time, node and the begin of its texts, and can be parsed', () => {
  const huge = 'y'.repeat(10_000_000)
  const line = `${JSON.stringify({ ...HEAD, err: { message: huge, stack: huge }, count: 3, msg: huge })}\n`
  const cut = cutLine(line)
  assert.ok(cut.length <= MAX_LINE)
  const { err, msg, ...rest } = JSON.parse(cut) as Record<string, unknown>
  assert.deepEqual(rest, { ...HEAD, count: 3, cutFrom: line.length })
  assert.match(String(err), /^{"message":"yyy/)
  assert.match(String(msg), /^y+…$/)
})

test('a long line is short whatever it holds', () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${i}${'k'.repeat(3000)}`, i]))
  for (const fields of [many, { ...HEAD, many }, { ...HEAD, msg: '\u0001'.repeat(100_000) }, ['z'.repeat(100_000)]]) {
    const cut = cutLine(`${JSON.stringify(fields)}\n`)
    assert.ok(cut.length <= 2 * MAX_LINE, `${cut.length}`)
    assert.ok(cut.endsWith('}\n'))
    JSON.parse(cut)
  }
  assert.equal(cutLine(`${'no JSON'.repeat(10_000)}\n`).length, MAX_LINE + 2)
})
