import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecretMask } from './secret-mask.js'

function maskOf(...values: readonly string[]): SecretMask {
  const mask = new SecretMask()
  for (const value of values) mask.add(value)
  return mask
}

const cases = [
  { name: 'a value, each time', values: ['hunter2'], text: 'hunter2 and hunter2', masked: '*** and ***' },
  { name: 'values that overlap', values: ['abcdef', 'defghi'], text: '-abcdefghi-', masked: '-***-' },
  { name: 'a value inside another', values: ['pass', 'password'], text: 'password', masked: '***' },
  { name: 'a value that overlaps itself', values: ['aaaa'], text: 'aaaaaa', masked: '***' },
  { name: 'values side by side', values: ['abcd', 'efgh'], text: 'abcdefgh', masked: '******' },
  { name: 'the form of JSON', values: ['a"b\nc'], text: '{"x":"a\\"b\\nc"}', masked: '{"x":"***"}' },
  { name: 'the form of a URL', values: ['p@ss/word'], text: 'http://u:p%40ss%2Fword@h/', masked: 'http://u:***@h/' },
  { name: 'a short value only as the whole text', values: ['ab'], text: 'cabin', masked: 'cabin' },
  { name: 'a short value as a whole', values: ['ab'], text: 'ab', masked: '***' },
  { name: 'what a cut has left of a value', values: ['hunter2'], text: 'x hunte…', masked: 'x ***…' },
  { name: 'the longest part at a cut', values: ['terrible', 'hunter2'], text: 'hunte… hunter…', masked: '***… ***…' },
  { name: 'what a cut has left of the form of JSON', values: ['a"b\ncd'], text: '"a\\"b…"', masked: '"***…"' },
  { name: 'no single letter at a cut', values: ['hunter2'], text: 'much…', masked: 'much…' },
  { name: 'no beginning of a value where nothing was cut', values: ['hunter2'], text: 'hunter', masked: 'hunter' },
  { name: 'nothing if the value is empty', values: [''], text: 'as it was', masked: 'as it was' },
]

for (const { name, values, text, masked } of cases) {
  test(`a mask hides ${name}`, () => assert.equal(maskOf(...values).mask(text), masked))
}

test('plain data is masked all the way down, numbers and keys too', () => {
  const mask = maskOf('hunter2', '4321', 'x')
  const value = { a: ['hunter2', { hunter2: 1 }], b: 43210, c: 5, d: null, e: true, f: 'x', g: 'xy' }
  assert.deepEqual(mask.maskValue(value), {
    a: ['***', { '***': 1 }],
    b: '***0',
    c: 5,
    d: null,
    e: true,
    f: '***',
    g: 'xy',
  })
})

test('secrets compare by hash, and a mask can include another', () => {
  const before = new SecretMask()
  before.add('hunter2', 'anna')
  const same = new SecretMask()
  same.add('hunter2', 'anna')
  const after = new SecretMask()
  after.add('correct horse', 'anna')
  assert.deepEqual(before.hashes, same.hashes)
  assert.notDeepEqual(before.hashes, after.hashes)
  after.include(before)
  assert.equal(after.mask('hunter2, correct horse'), '***, ***')
})

test('of many included masks the oldest are forgotten, except one that is included again', () => {
  const running = maskOf('the-one-that-runs', 'xy')
  const mask = new SecretMask(100)
  for (let index = 0; index < 1000; index++) {
    mask.include(running)
    mask.include(maskOf(`secret-${index}-`))
  }
  assert.equal(mask.mask('secret-0- secret-999- the-one-that-runs'), 'secret-0- *** ***')
  assert.equal(mask.mask('xy'), '***')
  const other = new SecretMask(100)
  other.include(mask)
  assert.equal(other.mask('secret-999- the-one-that-runs'), '*** ***')
})

const TEN_THOUSAND = Array.from({ length: 10_000 }, (_, index) => `secret-that-begins-alike-${index}-`)
const texts = [
  { name: 'a huge line', text: 'a'.repeat(100_000) },
  { name: 'a line full of what secrets begin with', text: 'secret-that-begins-alike-'.repeat(4000) },
  { name: 'a line that was cut a hundred times', text: 'secret-that-begins-alike-9… '.repeat(100) },
]
for (const { name, text } of texts) {
  test(`${name} is masked within a second with ten thousand values, and each of them is`, () => {
    const mask = maskOf(...TEN_THOUSAND)
    const urlOf = (at: number, key = `${at}`): string => `http://host/play?stream=${at}&key=${key}`
    for (let at = 0; at < 10_000; at++) mask.addIn(urlOf(at))
    assert.equal(mask.mask(`GET ${urlOf(4711)}`), `GET ${urlOf(4711, '***')}`)
    for (const at of [0, 4711, 9999]) assert.equal(mask.mask(`x${TEN_THOUSAND[at]}x`), 'x***x')
    const began = process.cpuUsage()
    mask.mask(text)
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 1_000_000, `${user + system} µs`)
  })
}

test('a text with secrets by their names is masked in these alone, in a mask that includes another too', () => {
  const url = 'http://host/play?stream=1&key=1'
  const own = new SecretMask()
  own.addIn(url)
  const other = new SecretMask()
  other.include(own)
  own.include(own)
  for (const mask of [own, other]) {
    assert.equal(mask.mask(`1 GET ${url}: 1`), '1 GET http://host/play?stream=1&key=***: 1')
    assert.deepEqual(mask.maskValue({ url, copies: 1 }), { url: 'http://host/play?stream=1&key=***', copies: 1 })
    assert.equal(mask.isIn('1'), false)
  }
})
