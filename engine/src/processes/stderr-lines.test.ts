import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { StderrLines } from './stderr-lines.js'
import { StderrLog } from './stderr-log.js'

function cut(text: string, piece: number): readonly string[] {
  const lines: string[] = []
  const cutter = new StderrLines((bytes, isCut) => lines.push(`${Buffer.from(bytes).toString()}${isCut ? '...' : ''}`))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += piece) cutter.push(bytes.subarray(at, at + piece))
  cutter.finish()
  return lines
}

describe('lines of stderr', () => {
  for (const { name, text, lines } of [
    { name: 'lines', text: 'a\nb\n', lines: ['a', 'b'] },
    { name: 'lines that end in two characters', text: 'a\r\nb\r\n', lines: ['a', 'b'] },
    { name: 'a last line without an end', text: 'a\nb', lines: ['a', 'b'] },
    { name: 'empty lines are left out', text: '\n\na\n\n', lines: ['a'] },
    { name: 'progress is overwritten', text: 'frame=1\rframe=2\rframe=3\rdone\n', lines: ['done'] },
    { name: 'progress before the end', text: 'a\nframe=1\r', lines: ['a'] },
    { name: 'progress that ends with a line', text: 'frame=1\rframe=2\n', lines: ['frame=2'] },
    { name: 'a long line is cut off', text: `${'x'.repeat(3000)}\nb\n`, lines: [`${'x'.repeat(1024)}...`, 'b'] },
  ]) {
    for (const piece of [1, 2, 7, 100_000]) {
      test(`${name}, in pieces of ${piece}`, () => assert.deepEqual(cut(text, piece), lines))
    }
  }

  for (const end of ['\r', '\n', '\r\n']) {
    test(`many that end in ${JSON.stringify(end)} are cut in time that grows with the text, not with its square`, () => {
      const began = process.cpuUsage()
      cut(`a${end}`.repeat(300_000), 1_000_000)
      const { user, system } = process.cpuUsage(began)
      assert.ok(user + system < 2_000_000, `${user + system} µs`)
    })
  }

  test('any text is cut the same way, whatever the pieces', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n'), maxLength: 60 })
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (given, piece) => {
        assert.deepEqual(cut(given, piece), cut(given, 1000))
      }),
    )
  })
})

describe('the log of stderr', () => {
  function log() {
    const written: (readonly [string, number])[] = []
    const clock = { now: 0, nowMs: () => clock.now }
    return { written, clock, log: new StderrLog({ clock, write: (line, leftOut) => written.push([line, leftOut]) }) }
  }

  test('has at most 20 lines a second, and says how many were left out', () => {
    const { written, clock, log: into } = log()
    into.push(Buffer.from('a\n'.repeat(1000)))
    assert.equal(written.length, 20)
    clock.now = 1000
    into.push(Buffer.from('b\n'))
    assert.deepEqual(written.at(-1), ['b', 980])
    into.push(Buffer.from('c\n'.repeat(30)))
    into.finish()
    assert.deepEqual(written.at(-1), ['too many lines', 11])
    assert.equal(into.lines, 1031)
  })

  test('keeps the last lines, of the most none is long, and none can change the terminal', () => {
    const { log: into } = log()
    for (let line = 1; line <= 8; line++) into.push(Buffer.from(`${line} \u001b[2J ${'x'.repeat(900)}\n`))
    into.push(Buffer.from('end'))
    into.finish()
    assert.deepEqual(
      into.last.map((line) => line.slice(0, 7)),
      ['5 ?[2J ', '6 ?[2J ', '7 ?[2J ', '8 ?[2J ', 'end'],
    )
    assert.ok(into.last.every((line) => line.length <= 301))
  })
})
