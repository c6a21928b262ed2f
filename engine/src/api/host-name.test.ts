import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf, isLoopback, plainAddress } from './host-name.js'

const hosts = [
  { text: 'localhost:9990', host: 'localhost' },
  { text: 'Engine.Example', host: 'engine.example' },
  { text: '[::1]:80', host: '::1' },
  { text: '[::ffff:10.0.0.1]:80', host: '10.0.0.1' },
  { text: '[fe80::1%eth0]', host: 'fe80::1' },
  { text: '0.0.0.0:9990', host: '0.0.0.0' },
  { text: '', host: undefined },
  { text: '::1', host: undefined },
  { text: 'a b', host: undefined },
  { text: 'user@localhost', host: undefined },
  { text: 'localhost:80:80', host: undefined },
  { text: 'localhost/evil', host: undefined },
]

for (const { text, host } of hosts) {
  test(`the host of ${JSON.stringify(text)} is ${host}`, () => assert.equal(hostOf(text), host))
}

test('loopback is 127/8 and ::1, also IPv4-mapped, and never a name', () => {
  const addresses = ['127.0.0.1', '127.9.9.9', '::1', plainAddress('::ffff:127.0.0.1')]
  for (const address of addresses) assert.ok(isLoopback(address), address)
  for (const address of ['10.0.0.1', '::', 'localhost', '', '127.0.0.1.evil.example']) {
    assert.ok(!isLoopback(address), address)
  }
})
