import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { test } from 'node:test'
import { checkInterfaces } from './check-interfaces.js'

const eth0 = [
  { family: 'IPv4', address: '10.0.0.5' },
  { family: 'IPv6', address: 'fe80::1' },
] as NetworkInterfaceInfo[]

for (const [wanted, level, found] of [
  ['eth0', 'ok', /^eth0 \(10\.0\.0\.5, fe80::1\)$/],
  ['10.0.0.5', 'ok', /^eth0/],
  ['FE80:0::1', 'ok', /^eth0/],
  ['eth1', 'warn', /^eth1 has no link or no address \(down\)$/],
  ['eth9', 'fail', /^eth9 does not exist; there are: eth0 \(10/],
  ['10.0.0.6', 'fail', /does not exist/],
  ['../eth1', 'fail', /does not exist/],
] as const) {
  test(`interface ${wanted} of a node: ${level}`, () => {
    const read = (path: string): string | undefined => (path.endsWith('/eth1/operstate') ? 'down' : undefined)
    const [row] = checkInterfaces({ read }, { interfaces: [['p/in', wanted]] }, { eth0 })
    assert.deepEqual([row?.check, row?.level], ['interface of p/in', level])
    assert.match(row?.found ?? '', found)
    assert.equal(row?.advice === '', level === 'ok')
  })
}
