import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInternalAddress } from './internal-address.js'

test('private, loopback, link-local and other special addresses are internal, also inside of IPv6 addresses', () => {
  const internal = ['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '::127.0.0.1', '::ffff:10.0.0.1', '::ffff:a00:1', '::FFFF:127.0.0.1', '64:ff9b::10.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::1', '2002:0a00:0001::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'ff02::1', '', 'localhost', '10.0.0'] // prettier-ignore
  for (const address of internal) assert.equal(isInternalAddress(address), true, address)
  const others = ['8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0', '192.167.0.1', '223.255.255.255', '2606:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:0808:0808::1'] // prettier-ignore
  for (const address of others) assert.equal(isInternalAddress(address), false, address)
})
