import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CmcdReport, LONGEST_CMCD, parseCmcd } from './parse-cmcd.js'
import { readCmcd } from './read-cmcd.js'

const rows: readonly [name: string, text: string, expected: CmcdReport | undefined][] = [
  [
    'a playlist of hls.js',
    'bl=5900,br=950,mtp=9800,ot=m,sf=h,sid="8ed7-1",st=l',
    { sid: '8ed7-1', bufferMs: 5900, bitrateKbps: 950, throughputKbps: 9800, isStarved: false },
  ],
  ['a stall', 'bs,sid="a",su', { sid: 'a', isStarved: true }],
  ['no stall', 'bs=?0,bl=1', { bufferMs: 1, isStarved: false }],
  [
    'version 2, lists with parameters',
    'bl=(5900;a 6100;v),br=(128;a 5000;v),mtp=(9800 100),sn=5,sta=p,v=2',
    { bufferMs: 5900, bitrateKbps: 5128, throughputKbps: 9800, isStarved: false },
  ],
  ['commas and brackets in strings', 'nor="a,bl=1(",bl=2', { bufferMs: 2, isStarved: false }],
  [
    'escapes in strings',
    String.raw`sid="a\"b\\",x="\\",bl=3`,
    { sid: String.raw`a"b\ `.trim(), bufferMs: 3, isStarved: false },
  ],
  ['spaces after commas', 'bl=1, br=2', { bufferMs: 1, bitrateKbps: 2, isStarved: false }],
  ['a word as id', 'sid=abc', { sid: 'abc', isStarved: false }],
  ['a fraction', 'bl=1.5', { bufferMs: 1.5, isStarved: false }],
  ['more than any player has', 'bl=999999999999', { bufferMs: 1e9, isStarved: false }],
  ['negative', 'bl=-5', undefined],
  ['no number', 'bl=abc,br=(),mtp=(1 x)', undefined],
  ['an id that is too long', `sid="${'x'.repeat(65)}"`, undefined],
  ['an id with spaces and controls', 'sid="a b",sid="\u0000"', undefined],
  ['an open string', 'sid="abc', undefined],
  ['an open list', 'bl=(55', undefined],
  ['nothing known', 'ot=m,sf=h', undefined],
  ['nothing', '', undefined],
  ['names of objects', '__proto__=1,constructor,bl=4', { bufferMs: 4, isStarved: false }],
]

for (const [name, text, expected] of rows) {
  test(`CMCD with ${name}`, () => assert.deepEqual(parseCmcd(text), expected))
}

test('junk of any length never throws, and longer data than any player sends is not read', () => {
  assert.equal(parseCmcd(`bl=1,x="${'y'.repeat(8192)}"`), undefined)
  assert.equal(parseCmcd(`${'a,'.repeat(100)}bl=1`), undefined)
  for (const junk of ['"'.repeat(4096), '('.repeat(4096), ','.repeat(4096), '\\'.repeat(4096), '"\\'.repeat(2048)]) {
    parseCmcd(junk)
  }
  const alphabet = fc.constantFrom(...'abr=(),;"\\ 0159.-?*\u0000é'.split(''), 'sid', 'bl', 'bs')
  const texts = fc.array(alphabet, { maxLength: LONGEST_CMCD }).map((letters) => letters.join(''))
  const bounded = (report: CmcdReport | undefined): boolean =>
    (report?.sid ?? '').length <= 64 &&
    [report?.bufferMs, report?.bitrateKbps, report?.throughputKbps].every(
      (value) => value === undefined || (value >= 0 && value <= 16e9),
    )
  fc.assert(
    fc.property(fc.oneof(texts, fc.string({ unit: 'binary' })), (text) => bounded(parseCmcd(text))),
    { numRuns: 2000 },
  )
})

test('what is a report is read as it was written, in any order', () => {
  const value = fc.integer({ min: 0, max: 1e9 })
  const known = fc.record({ bl: value, br: value, mtp: value, d: value }, { requiredKeys: ['bl'] })
  fc.assert(
    fc.property(known, fc.boolean(), fc.uuid(), (numbers, isStarved, sid) => {
      const members = Object.entries(numbers).map(([key, number]) => `${key}=${number}`)
      const text = [...members, ...(isStarved ? ['bs'] : []), `sid="${sid}"`, 'ot=v']
      const { bl: bufferMs, br: bitrateKbps, mtp: throughputKbps } = numbers
      for (const order of [text, text.toReversed()]) {
        assert.deepEqual(parseCmcd(order.join(',')), {
          ...{ sid, bufferMs, isStarved },
          ...(bitrateKbps === undefined ? {} : { bitrateKbps }),
          ...(throughputKbps === undefined ? {} : { throughputKbps }),
        })
      }
    }),
  )
})

test('a request carries it in the query or in four headers', () => {
  const query = `token=t&CMCD=${encodeURIComponent('bl=5,sid="a b"')}&x`
  assert.deepEqual(readCmcd(query, {}), { bufferMs: 5, isStarved: false })
  const headers = { 'cmcd-object': 'br=1', 'cmcd-request': 'bl=2', 'cmcd-session': 'sid="s"', 'cmcd-status': 'bs' }
  assert.deepEqual(readCmcd('', headers), { sid: 's', bufferMs: 2, bitrateKbps: 1, isStarved: true })
  assert.equal(readCmcd('token=t', {}), undefined)
  for (const junk of ['CMCD=%', 'CMCD=%ff', 'CMCD', 'CMCD=', `CMCD=bl%3D1${'%20'.repeat(8192)}`]) {
    assert.equal(readCmcd(junk, {}), undefined, junk.slice(0, 20))
  }
})
