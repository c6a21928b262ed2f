import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEngineError } from '@millrace/engine/plugin'
import fc from 'fast-check'
import { Leniency } from './leniency.js'
import type { Deviation } from './leniency.js'
import { ResponseReader } from './response-reader.js'

interface Reading {
  readonly status: number | undefined
  readonly body: string
  readonly end: string
  readonly deviations: readonly Deviation[]
}

/** Reads a response, cut at the given places. */
function read(parts: readonly Uint8Array[], isLenient = true): Reading {
  let status: number | undefined
  const deviations = new Set<Deviation>()
  const body: Uint8Array[] = []
  const reader = new ResponseReader({
    leniency: new Leniency(isLenient, (deviation) => deviations.add(deviation)),
    onHead: (head) => {
      status = head.status
      return true
    },
    onBody: (bytes) => body.push(bytes.slice()),
  })
  let end: string
  try {
    for (const part of parts) reader.push(part)
    end = reader.end()
  } catch (error) {
    if (!isEngineError(error)) throw error
    end = error.code
  }
  return { status, body: Buffer.concat(body).toString('latin1'), end, deviations: [...deviations] }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`

interface Vector {
  readonly name: string
  readonly text: string
  readonly body: string
  /** By default `complete`. */
  readonly end?: string
  readonly status?: number
  readonly deviation?: Deviation
}

const VECTORS: readonly Vector[] = [
  { name: 'a length', text: `${OK}Content-Length: 3\r\n\r\nabcdef`, body: 'abc' },
  { name: 'a length that is not reached', text: `${OK}Content-Length: 9\r\n\r\nabc`, body: 'abc', end: 'within-body' },
  { name: 'until the end', text: `${OK}\r\nabc`, body: 'abc' },
  { name: 'chunks', text: `${CHUNKED}3\r\nabc\r\nA;x="y"\r\n0123456789\r\n0\r\nT: t\r\n\r\n`, body: 'abc0123456789' },
  { name: 'chunks that do not end', text: `${CHUNKED}3\r\nabc\r\n`, body: 'abc', end: 'within-body' },
  { name: 'a chunk that does not end', text: `${CHUNKED}5\r\nabc`, body: 'abc', end: 'within-body' },
  { name: 'interim responses', text: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n${OK}\r\nabc`, body: 'abc' },
  { name: 'no body', text: 'HTTP/1.1 204 No Content\r\n\r\nabc', body: '', status: 204 },
  { name: 'another protocol from here on', text: 'HTTP/1.1 101 S\r\n\r\nabc', body: 'abc', status: 101 },
  { name: 'empty lines in front', text: `\r\n\r\n${OK}\r\nabc`, body: 'abc' },
  { name: 'a length of more than a number holds', text: `${OK}Content-Length: ${'9'.repeat(30)}\r\n\r\nabc`, body: 'abc' },
  { name: 'a coding that is not chunked', text: `${OK}Transfer-Encoding: identity\r\n\r\nabc`, body: 'abc' },
  { name: 'ICY', text: 'ICY 200 OK\r\nicy-name: x\r\n\r\nabc', body: 'abc', deviation: 'status-line' },
  { name: 'lines with LF', text: 'HTTP/1.0 200 OK\nA: b\n\nabc', body: 'abc', deviation: 'line-end' },
  { name: 'LF alone behind the head', text: `${OK}A: b\r\n\nabc`, body: 'abc', deviation: 'line-end' },
  { name: 'CR CR LF', text: 'HTTP/1.0 200 OK\r\r\nA: b\r\r\n\r\r\nabc', body: 'abc', deviation: 'line-end' },
  { name: 'no head', text: 'Gabc\n\nG', body: 'Gabc\n\nG', deviation: 'no-head' },
  { name: 'a length twice', text: `${OK}Content-Length: 3\r\ncontent-length: 3\r\n\r\nabcd`, body: 'abc', deviation: 'length-repeated' },
  { name: 'a length twice in a line', text: `${OK}Content-Length: 3, 3\r\n\r\nabcd`, body: 'abc', deviation: 'length-repeated' },
  { name: 'two lengths', text: `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcde`, body: 'abcde', deviation: 'lengths-differ' },
  { name: 'a length of -1', text: `${OK}Content-Length: -1\r\n\r\nabc`, body: 'abc', deviation: 'length-invalid' },
  { name: 'a length that is none', text: `${OK}Content-Length: live\r\n\r\nabc`, body: 'abc', deviation: 'length-invalid' },
  { name: 'a length and chunks', text: `${OK}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`, body: 'a', deviation: 'length-and-chunks' },
  { name: 'a space behind a chunk size', text: `${CHUNKED}3 \r\nabc\r\n0\r\n\r\n`, body: 'abc', deviation: 'chunk-size' },
  { name: 'a space in front of one', text: `${CHUNKED} 3\r\nabc\r\n0\r\n\r\n`, body: 'abc', deviation: 'chunk-size' },
  { name: 'zeros in front of one', text: `${CHUNKED}${'0'.repeat(20)}3\r\nabc\r\n0\r\n\r\n`, body: 'abc', deviation: 'chunk-size' },
  { name: '0x in front of one', text: `${CHUNKED}0x3\r\nabc\r\n0\r\n\r\n`, body: 'abc', deviation: 'chunk-size' },
  { name: 'chunks with LF', text: `${CHUNKED}3\nabc\n0\n\n`, body: 'abc', deviation: 'chunk-line' },
  { name: 'chunks with an empty line more', text: `${CHUNKED}3\r\nabc\r\n\r\n0\r\n\r\n`, body: 'abc', deviation: 'chunk-line' },
  { name: 'chunks without the line behind', text: `${CHUNKED}3\r\nabc0\r\n\r\n`, body: 'abc', deviation: 'chunk-line' },
] // prettier-ignore

test('a response is read as it is meant, however its bytes arrive; strictly, only if it is valid', () => {
  for (const { name, text, body, end = 'complete', status = 200, deviation } of VECTORS) {
    const wanted = { status, body, end, deviations: deviation === undefined ? [] : [deviation] }
    const whole = bytes(text)
    const each = [...whole].map((byte) => Uint8Array.of(byte))
    assert.deepEqual(read([whole]), wanted, name)
    assert.deepEqual(read(each), wanted, `${name}, byte by byte`)
    const strict = read([whole], false)
    assert.equal(strict.end, deviation === undefined ? end : 'HTTP_BAD_ANSWER', `${name}, strictly`)
  }
})

test('read strictly, a body of length 0 is empty', () => {
  const text = bytes(`${OK}Content-Length: 0\r\n\r\nabc`)
  assert.deepEqual(read([text], false), { status: 200, body: '', end: 'complete', deviations: [] })
  assert.deepEqual(read([text]), { status: 200, body: 'abc', end: 'complete', deviations: ['length-zero'] })
})

test('what is no HTTP is refused at once, without waiting for a line', () => {
  for (const text of ['SSH-2.0', '220 ftp', '\u0015\u0003\u0001', 'I am', 'x', ' <html>', '\0\0\0']) {
    assert.equal(read([bytes(text)]).end, 'HTTP_BAD_ANSWER', text)
  }
  for (const text of ['', '\r\n', 'H', 'HTTP', 'ic', 'ICY 2', 'HTTP/1.1 200']) {
    assert.equal(read([bytes(text)]).end, text.trim() === '' ? 'before-head' : 'within-head', text)
  }
})

test('a head of more than 16 KiB, a line of more than 4 KiB and an endless row of interim responses are refused', () => {
  const line = `a: ${'b'.repeat(1000)}\r\n`
  assert.equal(read([bytes(`${OK}${line.repeat(15)}\r\n`)]).end, 'complete')
  assert.equal(read([bytes(`${OK}${line.repeat(17)}\r\n`)]).end, 'HTTP_BAD_ANSWER')
  assert.equal(read([bytes(`${CHUNKED}3;${'x'.repeat(4000)}\r\nabc\r\n0\r\n\r\n`)]).body, 'abc')
  assert.equal(read([bytes(`${CHUNKED}3;${'x'.repeat(5000)}`)]).end, 'HTTP_BROKEN')
  const interim = bytes('HTTP/1.1 100 C\r\n\r\n'.repeat(1000))
  assert.equal(read(Array.from({ length: 11 }, () => interim)).end, 'HTTP_BAD_ANSWER')
})

test('a chunk size that is none breaks the stream', () => {
  for (const size of ['', 'x', '-1', '1g', '10000000000000000', 'G']) {
    const { end } = read([bytes(`${CHUNKED}1\r\na\r\n${size}\r\n`)])
    assert.equal(end, size === '' ? 'within-body' : 'HTTP_BROKEN', size)
  }
})

test('floods of empty lines are refused, and tiny chunks are passed on together', () => {
  assert.equal(read([bytes('\r\n'.repeat(600))]).end, 'HTTP_BAD_ANSWER')
  assert.equal(read([bytes(`${CHUNKED}1\r\na\r\n${'\r\n'.repeat(17)}`)]).end, 'HTTP_BROKEN')
  assert.equal(read([bytes(`${CHUNKED}${'1\r\na\r\n\r\n'.repeat(100)}`)]).body, 'a'.repeat(100))
  let parts = 0
  const reader = new ResponseReader({
    leniency: new Leniency(false, () => undefined),
    onHead: () => true,
    onBody: () => void parts++,
  })
  reader.push(bytes(`${CHUNKED}${'1\r\na\r\n'.repeat(10_000)}`))
  assert.equal(parts, 1)
})

test('a body that is not wanted is not read', () => {
  const reader = new ResponseReader({
    leniency: new Leniency(true, () => undefined),
    onHead: () => false,
    onBody: () => assert.fail('it was read'),
  })
  reader.push(bytes(`${OK}\r\nabc`))
  reader.push(bytes('def'))
  assert.deepEqual([reader.isComplete, reader.end()], [true, 'complete'])
})

test('any body passes byte for byte, in any chunks, cut anywhere', () => {
  const chunk = fc.uint8Array({ minLength: 1, maxLength: 50 })
  const property = fc.property(
    fc.array(chunk),
    fc.array(fc.nat(1000)),
    fc.constantFrom('\r\n', '\n'),
    (chunks, cuts, eol) => {
      const coded = chunks.flatMap((part) => [bytes(`${part.length.toString(16)}${eol}`), part, bytes(eol)])
      const whole = Buffer.concat([bytes(CHUNKED.replaceAll('\r\n', eol)), ...coded, bytes(`0${eol}${eol}`)])
      const edges = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b)
      const parts = edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge))
      const { body, end } = read(parts)
      assert.equal(body, Buffer.concat(chunks).toString('latin1'))
      assert.equal(end, 'complete')
    },
  )
  fc.assert(property)
})

test('damaged responses never throw anything but an error of the table, and are read alike however they are cut', () => {
  const byte = fc.oneof(fc.constantFrom(0, 9, 10, 13, 32, 58, 71, 255), fc.nat(255))
  const edits = fc.array(fc.tuple(fc.nat(200), byte), { minLength: 1, maxLength: 4 })
  const vector = fc.constantFrom(...VECTORS)
  const property = fc.property(vector, edits, fc.nat(200), fc.boolean(), ({ text }, changes, at, isLenient) => {
    const damaged = Buffer.from(bytes(text))
    for (const [place, value] of changes) damaged[place % damaged.length] = value
    const cut = at % damaged.length
    const parts = [damaged.subarray(0, cut), damaged.subarray(cut)]
    const [cutUp, whole] = [read(parts, isLenient), read([damaged], isLenient)]
    assert.deepEqual({ ...cutUp, deviations: [] }, { ...whole, deviations: [] })
  })
  fc.assert(property, { numRuns: Number(process.env['FUZZ_RUNS'] ?? 5000) })
})
