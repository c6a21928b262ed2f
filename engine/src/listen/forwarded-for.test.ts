import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AddressRanges } from './address-ranges.js'
import { clientBehind } from './forwarded-for.js'

const TRUSTED = new AddressRanges(['10.0.0.0/8', '2001:db8:ff::/48'])
const PROXY = '10.0.0.1'

interface Row {
  readonly name: string
  readonly peer?: string
  /** One text per header. */
  readonly values: readonly string[]
  readonly client: string
}

const xff: readonly Row[] = [
  { name: 'no header', values: [], client: PROXY },
  { name: 'the one client', values: ['192.0.2.1'], client: '192.0.2.1' },
  { name: 'the right-most address that is not a proxy', values: ['6.6.6.6, 192.0.2.1, 10.0.0.2'], client: '192.0.2.1' },
  { name: 'several headers as one list', values: ['6.6.6.6', '192.0.2.1', ' 10.0.0.2 '], client: '192.0.2.1' },
  { name: 'nothing from an untrusted peer', peer: '192.0.2.9', values: ['6.6.6.6'], client: '192.0.2.9' },
  { name: 'the left-most address if all are proxies', values: ['10.0.0.3, 10.0.0.2'], client: '10.0.0.3' },
  { name: 'an address without its port', values: ['192.0.2.1:4711'], client: '192.0.2.1' },
  { name: 'IPv6', values: ['2001:DB8::0:1, 2001:db8:ff::1'], client: '2001:db8::1' },
  { name: 'IPv6 in brackets with a port', values: ['[2001:db8::1]:80'], client: '2001:db8::1' },
  { name: 'IPv4 mapped into IPv6', values: ['::ffff:192.0.2.1'], client: '192.0.2.1' },
  { name: 'no name', values: ['192.0.2.1, unknown, 10.0.0.2'], client: '10.0.0.2' },
  { name: 'no empty entry', values: ['192.0.2.1, '], client: PROXY },
  { name: 'nothing in brackets that is not IPv6', values: ['[192.0.2.1]'], client: PROXY },
]

for (const { name, peer = PROXY, values, client } of xff) {
  test(`X-Forwarded-For: takes ${name}`, () => {
    const headers = values.flatMap((value) => ['X-Forwarded-For', value, 'Forwarded', 'for=7.7.7.7'])
    assert.equal(clientBehind(peer, headers, TRUSTED, 'x-forwarded-for'), client)
  })
}

const forwarded: readonly Row[] = [
  { name: 'the one client', values: ['for=192.0.2.1'], client: '192.0.2.1' },
  {
    name: 'the right-most address that is not a proxy',
    values: ['for=6.6.6.6, for=192.0.2.1;by=x, for=10.0.0.2'],
    client: '192.0.2.1',
  },
  {
    name: 'pairs in any order and any case',
    values: ['proto=http;FOR="192.0.2.1:80";host="a,b;for=c"'],
    client: '192.0.2.1',
  },
  { name: 'IPv6 in quotes', values: ['For="[2001:db8:cafe::17]:4711"'], client: '2001:db8:cafe::17' },
  { name: 'an address without its obfuscated port', values: ['for="192.0.2.1:_x"'], client: '192.0.2.1' },
  { name: 'no obfuscated client', values: ['for=192.0.2.1, for=_hidden'], client: PROXY },
  { name: 'no element without a client', values: ['for=192.0.2.1, proto=http'], client: PROXY },
  { name: 'no element with two clients', values: ['for=192.0.2.1;for=192.0.2.2'], client: PROXY },
  { name: 'what a proxy added after an open quote', values: ['for="6.6.6.6, for=192.0.2.1'], client: '192.0.2.1' },
  { name: 'the same with quotes of its own', values: ['a="\\, for="[2001:db8::1]"'], client: '2001:db8::1' },
]

for (const { name, values, client } of forwarded) {
  test(`Forwarded: takes ${name}`, () => {
    const headers = values.flatMap((value) => ['forwarded', value, 'X-Forwarded-For', '7.7.7.7'])
    assert.equal(clientBehind(PROXY, headers, TRUSTED, 'forwarded'), client)
  })
}

test('stops at a chain of more proxies than anyone has', () => {
  const chain = Array.from({ length: 100 }, (_, at) => (at === 0 ? '192.0.2.1' : '10.0.0.2')).join(',')
  assert.equal(clientBehind(PROXY, ['X-Forwarded-For', chain], TRUSTED, 'x-forwarded-for'), '10.0.0.2')
})

test('never throws, and the entry of the proxy decides whatever a client writes before it', () => {
  const written = fc.oneof(fc.string(), fc.stringMatching(/^[for="\\,;:[\]0-9. ]*$/))
  fc.assert(
    fc.property(written, fc.constantFrom('192.0.2.1', '2001:db8::1'), (text, real) => {
      assert.equal(clientBehind(PROXY, ['X-Forwarded-For', `${text},${real}`], TRUSTED, 'x-forwarded-for'), real)
      const seen = clientBehind(PROXY, ['Forwarded', `${text},for="[2001:db8::7]"`], TRUSTED, 'forwarded')
      assert.ok(seen === '2001:db8::7' || seen === PROXY, seen)
    }),
  )
})
