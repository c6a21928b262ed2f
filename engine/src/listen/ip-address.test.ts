import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limitKeyOf, parseIp, plainAddress, renderIp } from './ip-address.js'

const texts: readonly { name: string; text: string; plain: string; key: string }[] = [
  { name: 'IPv4', text: '192.0.2.1', plain: '192.0.2.1', key: '192.0.2.1' },
  { name: 'IPv4 mapped into IPv6', text: '::ffff:192.0.2.1', plain: '192.0.2.1', key: '192.0.2.1' },
  { name: 'the same in hexadecimal', text: '::FFFF:C000:0201', plain: '192.0.2.1', key: '192.0.2.1' },
  { name: 'IPv6', text: '2001:DB8:0:1:2:3:4:5', plain: '2001:db8:0:1:2:3:4:5', key: '2001:db8:0:1::/64' },
  {
    name: 'IPv6 written in full',
    text: '2001:0db8:0000:0000:0000:0000:0000:0001',
    plain: '2001:db8::1',
    key: '2001:db8::/64',
  },
  { name: 'two runs of zeros', text: '1:0:0:2:0:0:0:3', plain: '1:0:0:2::3', key: '1:0:0:2::/64' },
  { name: 'one zero alone', text: '1:2:3:0:5:6:7:8', plain: '1:2:3:0:5:6:7:8', key: '1:2:3::/64' },
  {
    name: 'IPv4 in the tail of another prefix',
    text: '64:ff9b::192.0.2.33',
    plain: '64:ff9b::c000:221',
    key: '64:ff9b::/64',
  },
  { name: 'loopback', text: '::1', plain: '::1', key: '::/64' },
  { name: 'the unspecified address', text: '::', plain: '::', key: '::/64' },
  { name: 'a zone', text: 'fe80::1%eth0', plain: 'fe80::1', key: 'fe80::/64' },
  { name: 'text that is not an address', text: 'unknown', plain: 'unknown', key: 'unknown' },
]

for (const { name, text, plain, key } of texts) {
  test(`has one canonical form for ${name}`, () => {
    assert.equal(plainAddress(text), plain)
    assert.equal(limitKeyOf(text), key)
  })
}

test('refuses text that is not an address', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    ':::',
    '1::2::3',
    'g::',
    '1.2.3.4/8',
    ' 1.2.3.4',
    '[::1]',
  ]) {
    assert.equal(parseIp(text), undefined, text)
  }
})

test('parses what it renders', () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  fc.assert(
    fc.property(address, (bytes) => {
      const text = renderIp(bytes)
      assert.equal(plainAddress(text), renderIp(parseIp(text) ?? bytes))
    }),
  )
})

test('never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.ipV6(), fc.ipV4Extended()),
      (text) => void [plainAddress(text), limitKeyOf(text)],
    ),
  )
})
