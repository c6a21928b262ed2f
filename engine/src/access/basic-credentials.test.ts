import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BasicCredentials, parseBasic } from './basic-credentials.js'

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')

const read: readonly { name: string; header: string; is: BasicCredentials }[] = [
  {
    name: 'the example of RFC 7617 section 2',
    header: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    is: { user: 'Aladdin', password: 'open sesame' },
  },
  {
    name: 'the UTF-8 example of RFC 7617 section 2.1',
    header: 'Basic dGVzdDoxMjPCow==',
    is: { user: 'test', password: '123£' },
  },
  { name: 'colons in the password', header: `Basic ${base64('a:b:c:')}`, is: { user: 'a', password: 'b:c:' } },
  { name: 'an empty password', header: `Basic ${base64('a:')}`, is: { user: 'a', password: '' } },
  { name: 'an empty name', header: `Basic ${base64(':b')}`, is: { user: '', password: 'b' } },
  { name: 'another case of the scheme', header: `bASIC  ${base64('a:b')} `, is: { user: 'a', password: 'b' } },
  { name: 'latin1', header: `Basic ${base64(Uint8Array.of(0x61, 0x3a, 0xa3))}`, is: { user: 'a', password: '£' } },
  { name: 'a decomposed accent', header: `Basic ${base64('e\u0301:e\u0301')}`, is: { user: 'é', password: 'é' } },
  { name: 'Base64 without padding', header: 'Basic YTpi', is: { user: 'a', password: 'b' } },
]

for (const { name, header, is } of read) {
  test(`reads ${name}`, () => assert.deepEqual(parseBasic(header), is))
}

const malformed: readonly { name: string; header: string }[] = [
  { name: 'nothing after the scheme', header: 'Basic' },
  { name: 'no colon', header: `Basic ${base64('abc')}` },
  { name: 'text that is not Base64', header: 'Basic a:b' },
  { name: 'two credentials', header: `Basic ${base64('a:b')}, Basic ${base64('a:b')}` },
  { name: 'a control character', header: `Basic ${base64('a:\u0007')}` },
  { name: 'a line end', header: `Basic ${base64('a\n:b')}` },
  { name: 'far too much', header: `Basic ${base64(`a:${'b'.repeat(2000)}`)}` },
]

for (const { name, header } of malformed) {
  test(`refuses ${name}`, () => assert.equal(parseBasic(header), 'malformed'))
}

test('ignores other schemes', () => {
  for (const header of [undefined, '', 'Bearer abc', 'Basics YTpi', 'Digest x'])
    assert.equal(parseBasic(header), undefined)
})

test('never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseBasic(text)))
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseBasic(`Basic ${base64(bytes)}`)))
})

test('reads back what was encoded', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((each) => !/\p{Cc}/u.test(each) && each.length < 200)
  fc.assert(
    fc.property(
      text.filter((each) => !each.includes(':')),
      text,
      (user, password) => {
        const is = { user: user.normalize('NFC'), password: password.normalize('NFC') }
        assert.deepEqual(parseBasic(`Basic ${base64(`${user}:${password}`)}`), is)
      },
    ),
  )
})
