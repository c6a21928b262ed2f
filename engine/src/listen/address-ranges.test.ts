import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isEngineError } from '../errors.js'
import { parseIp, plainAddress, renderIp } from './ip-address.js'
import { AddressRanges, isAddressRange } from './address-ranges.js'

const rows: readonly { range: string; inside: readonly string[]; outside: readonly string[] }[] = [
  {
    range: '10.0.0.0/8',
    inside: ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'],
    outside: ['11.0.0.0', '9.255.255.255'],
  },
  { range: '10.9.8.7/8', inside: ['10.1.1.1'], outside: ['11.1.1.1'] },
  { range: '192.0.2.1', inside: ['192.0.2.1', '::ffff:c000:201'], outside: ['192.0.2.2'] },
  { range: '192.0.2.128/25', inside: ['192.0.2.128', '192.0.2.255'], outside: ['192.0.2.127'] },
  { range: '0.0.0.0/0', inside: ['8.8.8.8'], outside: ['2001:db8::1', '::'] },
  { range: '::/0', inside: ['2001:db8::1'], outside: ['8.8.8.8', '::ffff:8.8.8.8'] },
  { range: '2001:db8::/33', inside: ['2001:db8:7fff::1'], outside: ['2001:db8:8000::1'] },
  { range: '::ffff:10.0.0.0/104', inside: ['10.1.2.3'], outside: ['11.1.2.3'] },
]

for (const { range, inside, outside } of rows) {
  test(`${range} contains the addresses in it, and no others`, () => {
    const ranges = new AddressRanges([range])
    for (const address of inside) assert.ok(ranges.has(address), address)
    for (const address of outside) assert.ok(!ranges.has(address), address)
  })
}

test('an empty list contains nothing, and no list contains text that is not an address', () => {
  assert.equal(new AddressRanges([]).has('10.0.0.1'), false)
  for (const text of ['', 'unknown', '10.0.0.1:80', '10.0.0.1/8']) {
    assert.equal(new AddressRanges(['0.0.0.0/0', '::/0']).has(text), false)
  }
})

test('refuses text that is not a range, and quotes it', () => {
  for (const text of [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '::ffff:1.2.3.4/95',
    '10.0.0.0/',
    '10.0.0.0/8 ',
    'fe80::1%a',
  ]) {
    assert.equal(isAddressRange(text), false, text)
    assert.throws(
      () => new AddressRanges([text]),
      (error) => isEngineError(error) && error.code === 'LISTEN_BAD_RANGE' && error.message.includes(`"${text}"`),
    )
  }
})

test('an address is in a range when it begins with the bits of its prefix', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(address, address, fc.nat(128), fc.boolean(), (base, other, length, isNear) => {
      const bits = Math.min(length, bitsOf(base).length)
      const ranges = new AddressRanges([`${plainAddress(base)}/${bits}`])
      // Two random addresses share few bits: half of the runs look up one that shares all but the last.
      const asked = isNear ? flipped(base, bits - 1) : other
      const isInside =
        bitsOf(asked).length === bitsOf(base).length && bitsOf(asked).startsWith(bitsOf(base).slice(0, bits))
      assert.equal(ranges.has(asked), isInside, `${asked} in ${base}/${bits}`)
      assert.ok(ranges.has(flipped(base, bits)), `${flipped(base, bits)} in ${base}/${bits}`)
    }),
  )
})

function bitsOf(address: string): string {
  return Array.from(parseIp(address) ?? [], (byte) => byte.toString(2).padStart(8, '0')).join('')
}

/** The address with one bit changed, if it has that bit. */
function flipped(address: string, bit: number): string {
  return renderIp(
    Uint8Array.from(parseIp(address) ?? [], (byte, at) => (at === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte)),
  )
}

test('never throws on a lookup', () => {
  const ranges = new AddressRanges(['10.0.0.0/7', '2001:db8::/31'])
  fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => void ranges.has(text)))
})
