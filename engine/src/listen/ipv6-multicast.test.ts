import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { isLinkLocal } from '../plugin/socket-address.js'
import { FakeClock } from '../testing/fake-clock.js'
import { TestSockets } from '../testing/test-sockets.js'
import { until } from './loopback.test.kit.js'
import { withZone } from './network-interface.js'

const noError = (error: unknown): void => assert.fail(String(error))
/** Of one link, and of a site: only the first has to be bound to its interface. */
const GROUPS = ['ff02::3:1', 'ff15::3:1']

/** The interfaces that have IPv6, by name and by each of their addresses. */
function interfaceNames(): readonly (readonly [name: string, wanted: string])[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) => {
    const own = addresses.filter(({ family }) => family === 'IPv6')
    return own.length === 0 ? [] : [name, ...own.map(({ address }) => address)].map((each) => [name, each] as const)
  })
}

/** A member of the group, and what makes it receive. Nothing leaves the machine: no router and no link is crossed. */
async function membership(sockets: TestSockets, group: string, wanted: string, source?: string) {
  const got: string[] = []
  const problems: (string | undefined)[] = []
  const member = await sockets.udp({
    ...{ bind: { host: group, port: 0 }, interface: wanted, reuseAddress: true, onError: noError },
    onDatagrams: (batch) => got.push(Buffer.from(batch.bytes(0)).toString()),
  })
  member.join({ group, interface: wanted, ...(source === undefined ? {} : { source }) })
  const sender = await sockets.udp({
    ...{ bind: { host: '::', port: 0 }, onError: noError },
    onSent: ({ error }) => problems.push(error?.code),
  })
  sender.setMulticast({ interface: wanted, ttl: 0, loopback: true })
  const send = (): void => sender.send(Buffer.from(wanted), { host: group, port: member.address.port })
  return { got, problems, member, send }
}

test('an IPv6 group is joined on an interface by its name or any of its addresses, and what is sent there arrives', async () => {
  using sockets = new TestSockets(new FakeClock())
  for (const [, wanted] of interfaceNames()) {
    for (const group of GROUPS) {
      const { got, problems, member, send } = await membership(sockets, group, wanted)
      send()
      await until(() => problems.length > 0, 'the first one is sent')
      // The system has routes for groups on the interfaces that carry them; loopback mostly is none of these.
      if (problems[0] === 'SOCKET_UNREACHABLE') continue
      await until(() => got.length > 0, `${group} on ${wanted}`)
      assert.deepEqual([problems[0], got[0]], [undefined, wanted])
      member.leave({ group, interface: wanted })
    }
  }
})

test('a link-local group may name its interface itself, and cannot be bound without one', async () => {
  using sockets = new TestSockets(new FakeClock())
  const [[name] = ['lo']] = interfaceNames()
  const options = { onError: noError, reuseAddress: true }
  const member = await sockets.udp({ ...options, bind: { host: `ff02::3:1%${name}`, port: 0 } })
  member.join({ group: `ff02::3:1%${name}` })
  member.leave({ group: `ff02::3:1%${name}` })
  await assert.rejects(sockets.udp({ ...options, bind: { host: 'ff02::3:1', port: 0 } }), { code: 'SOCKET_FAILED' })
  const wrong = sockets.udp({ ...options, bind: { host: 'ff02::3:1', port: 0 }, interface: 'eth99' })
  await assert.rejects(wrong, { code: 'SOCKET_NO_INTERFACE' })
  assert.equal(sockets.size, 1)
})

test('only addresses of one link need a zone', () => {
  const other = { netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 } as const
  const interfaces = { eth7: [{ ...other, family: 'IPv6', address: 'fe80::7' }] } as const
  const rows: readonly (readonly [host: string, zoned: string])[] = [
    ['ff02::1', 'ff02::1%eth7'],
    ['FF12::1', 'FF12::1%eth7'],
    ['ff01::1', 'ff01::1%eth7'],
    ['fe80::1', 'fe80::1%eth7'],
    ['ff02::1%lo', 'ff02::1%lo'],
    ['ff15::1', 'ff15::1'],
    ['ff35::8000:1', 'ff35::8000:1'],
    ['2001:db8::1', '2001:db8::1'],
    ['239.1.1.1', '239.1.1.1'],
    ['feed.example', 'feed.example'],
  ]
  for (const [host, zoned] of rows) {
    const isLocal = /^f/i.test(host) && host !== zoned
    for (const wanted of ['eth7', 'fe80::7'])
      assert.equal(withZone(host, wanted, { eth7: [...interfaces.eth7] }), zoned)
    assert.equal(isLinkLocal(host), isLocal || host.includes('%'))
    assert.equal(withZone(host, undefined), host)
  }
})
