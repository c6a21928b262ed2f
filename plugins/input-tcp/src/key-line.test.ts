import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type KeyLine, keyOfAddress, MAX_LINE_BYTES, parseKeyLine } from './key-line.js'

const NONE: KeyLine = { key: '', query: undefined, token: undefined, user: undefined, password: undefined }

const LINES: readonly (readonly [name: string, text: string, line: Partial<KeyLine>, length: number])[] = [
  ['a key', 'cam1\nGTS', { key: 'cam1' }, 5],
  ['a carriage return before the end', 'cam1\r\n', { key: 'cam1' }, 6],
  ['a token', 'cam1 t0ken\n', { key: 'cam1', token: 't0ken' }, 11],
  ['a user and a password', 'cam1 anna s3cret\n', { key: 'cam1', user: 'anna', password: 's3cret' }, 17],
  ['a query', 'cam1?expires=1&sign=2 x\n', { key: 'cam1', query: 'expires=1&sign=2', token: 'x' }, 24],
  ['a key that the engine will refuse', '../../etc/passwd\n', { key: '../../etc/passwd' }, 17],
  ['the longest line', `${'a'.repeat(255)}\n`, { key: 'a'.repeat(255) }, 256],
]

for (const [name, text, line, length] of LINES) {
  test(`reads ${name}`, () => {
    const reading = parseKeyLine(Buffer.from(text))
    assert.deepEqual(reading, { state: 'line', line: { ...NONE, ...line }, length })
  })
}

const BAD: readonly (readonly [name: string, text: string, reason: string])[] = [
  ['an empty line', '\n', 'header'],
  ['a lone carriage return', 'ca\rm1\n', 'header'],
  ['a space at the end', 'cam1 \n', 'header'],
  ['two spaces', 'cam1  x\n', 'header'],
  ['four words', 'a b c d\n', 'header'],
  ['a query without a key', '?a=b\n', 'header'],
  ['a packet of a transport stream', 'G@\0\x10', 'header'],
  ['bytes that are not ASCII', 'käm', 'header'],
  ['a line that is too long', 'a'.repeat(256), 'header-too-long'],
  ['a megabyte', 'a'.repeat(1 << 20), 'header-too-long'],
]

for (const [name, text, reason] of BAD) {
  test(`refuses ${name}`, () => {
    assert.deepEqual(parseKeyLine(Buffer.from(text, 'latin1')), { state: 'bad', reason })
  })
}

test('waits for more, byte by byte, and then says the same as at once', () => {
  for (const [, text, line] of LINES) {
    const bytes = Buffer.from(text)
    const end = bytes.indexOf('\n')
    for (let length = 0; length <= end; length++) {
      assert.deepEqual(parseKeyLine(bytes.subarray(0, length)), { state: 'more' }, `${text} ${length}`)
    }
    const reading = parseKeyLine(bytes.subarray(0, end + 1))
    assert.deepEqual(reading.state === 'line' && reading.line, { ...NONE, ...line })
  }
})

test('whatever arrives, it never throws, never waits past its limit, and never reads past the line', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2 * MAX_LINE_BYTES }), (bytes) => {
      const reading = parseKeyLine(bytes)
      if (reading.state === 'more') assert.ok(bytes.length < MAX_LINE_BYTES)
      if (reading.state !== 'line') return
      assert.equal(bytes[reading.length - 1], 0x0a)
      assert.deepEqual(parseKeyLine(bytes.subarray(0, reading.length)), reading)
    }),
    { numRuns: 5000 },
  )
})

test('words of printable ASCII come back as they were', () => {
  const word = fc.stringMatching(/^[!-~]{1,40}$/)
  const key = word.filter((text) => !text.includes('?'))
  fc.assert(
    fc.property(key, fc.array(word, { maxLength: 2 }), fc.constantFrom('\n', '\r\n'), (first, more, end) => {
      const reading = parseKeyLine(Buffer.from([first, ...more].join(' ') + end))
      assert.ok(reading.state === 'line')
      const { line } = reading
      assert.equal(line.key, first)
      assert.deepEqual(more, more.length === 2 ? [line.user, line.password] : more.length === 1 ? [line.token] : [])
    }),
  )
})

test('an address is a key without colons', () => {
  assert.equal(keyOfAddress('192.0.2.1'), '192.0.2.1')
  assert.equal(keyOfAddress('2001:db8::1'), '2001-db8--1')
})
