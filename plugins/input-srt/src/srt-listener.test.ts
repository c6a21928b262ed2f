import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REJECT } from '@millrace/srt'
import { SrtSocket } from '@millrace/srt/node'
import type { SrtArrival, SrtConnection, SrtDecision, SrtRequest } from '@millrace/srt/node'
import { CallerLabels } from './caller-labels.js'
import { CallerLimits } from './caller-limits.js'
import { isDualStack } from './dual-stack.js'
import { SrtBench, until } from './srt-bench.test.kit.js'
import { wildcardWarning, wildcardWarnings } from './wildcard-address.js'

test('callers over a limit are rejected with 1402, and a place is free when one has left or was refused', async () => {
  await using bench = await SrtBench.open({ limits: { perAddress: 2 } })
  bench.input(({ key }) => (key === 'no' ? 'forbidden' : 'accept'))
  const first = await bench.call('publish:a')
  assert.equal(await bench.refusalOf('publish:no'), REJECT.forbidden)
  await bench.call('publish:b')
  assert.equal(await bench.refusalOf('publish:c'), REJECT.overload)
  await first.close()
  await until(() => bench.listener.callers === 1, 'the first has left')
  await bench.call('publish:c')
  assert.deepEqual(bench.refused, ['forbidden', 'full'])
})

test('who requests a stream may send no data, who publishes may', async () => {
  await using bench = await SrtBench.open()
  const [published] = [bench.input(), bench.listener.offerTo({ mode: 'request', take: () => ({ onConnection: show }) })]
  const viewers: SrtConnection[] = []
  function show(connection: SrtConnection): void {
    viewers.push(connection)
  }
  const [viewer, publisher] = [await bench.call('read:a'), await bench.call('publish:a')]
  for (const caller of [viewer, publisher]) caller.send([new Uint8Array(1316), new Uint8Array(1316)])
  await until(() => published[0]?.bytes === 2632, 'what is published comes')
  await until(() => (viewers[0]?.stats().receive.refused ?? 0) >= 2, 'that of the viewer is refused')
  assert.equal(viewers[0]?.stats().receive.bufferedPackets, 0)
})

test('callers that wait, or are being checked, are rejected with 1503 when the listener closes', async () => {
  const bench = await SrtBench.open({ offline: { waitFor: '60s' } })
  await using _ = bench
  let asked = 0
  const never = new Promise<SrtDecision>(() => undefined)
  const take = ({ resource }: SrtArrival): Promise<SrtDecision> | undefined => {
    if (resource !== 'checked') return undefined
    asked++
    return never
  }
  bench.listener.offerTo({ mode: 'request', take })
  const refusals = [bench.refusalOf('read:nobody'), bench.refusalOf('read:checked')]
  await until(() => bench.waiting === 1 && asked === 1, 'both are known')
  await bench.listener[Symbol.asyncDispose]()
  assert.deepEqual(await Promise.all(refusals), [REJECT.down, REJECT.down])
  assert.deepEqual(bench.refused, ['offline', 'offline'])
})

test('`reorderTolerance` is that of the connections it accepts', async (t) => {
  const listen = t.mock.method(SrtSocket.prototype, 'listen')
  await using bench = await SrtBench.open({ reorderTolerance: 7 })
  bench.input()
  const peer = { address: '127.0.0.1', port: 5 }
  const decision = await listen.mock.calls[0]?.arguments[0].onRequest?.({ peer, streamId: 'publish:a' } as SrtRequest)
  assert.ok(decision !== undefined && 'connection' in decision)
  assert.equal(decision.connection?.reorderTolerance, 7)
})

test('a wrong passphrase gives the place back', async () => {
  await using bench = await SrtBench.open({ limits: { connections: 1 }, passphrase: 'that-of-the-listener' })
  bench.input()
  for (let round = 0; round < 3; round++) {
    assert.equal(await bench.refusalOf('publish:a', { passphrase: 'something-else' }), REJECT.badSecret)
  }
  await bench.call('publish:a', { passphrase: 'that-of-the-listener' })
})

test('its details and metrics list callers by stream and mode, with their label', async () => {
  await using bench = await SrtBench.open({
    labels: { '127.0.0.0/8': 'here', news: 'studio' },
    offline: { waitFor: '0s' },
  })
  bench.input()
  await bench.call('publish:news')
  await bench.call('#!::r=cam,m=publish,bmd_uuid=0e1d,bmd_name=rdt')
  assert.equal(await bench.refusalOf('read:news'), REJECT.notFound)
  const read = bench.context.readDetails
  assert.ok(read !== undefined)
  const { connections, publishers } = read() as unknown as {
    publishers: number
    connections: { stream: string; mode: string; label: string; since: string }[]
  }
  assert.equal(publishers, 2)
  assert.deepEqual(
    connections.map(({ stream, mode, label }) => [stream, mode, label]),
    [
      ['news', 'publish', 'studio'],
      ['cam', 'publish', 'here'],
    ],
  )
  assert.ok(Date.parse(connections[0]!.since) > 0)
  assert.deepEqual(bench.context.metric('srt_connections'), { publish: 2, request: 0, handshake: 0 })
  assert.deepEqual(bench.context.metric('srt_rejects_total'), { 'not-found': 1 })
  assert.deepEqual(bench.context.metric('srt_stream_received_packets_total'), { 'news publish': 0, 'cam publish': 0 })
})

test('a label is found by stream, address or range', () => {
  const labels = new CallerLabels({
    '10.0.0.0/8': 'ten',
    '2001:db8::/32': 'six',
    '10.1.2.3/40': 'a name',
    cam: 'camera',
  })
  const rows = [
    ['10.9.9.9', 'x', 'ten'],
    ['2001:db8::1', 'x', 'six'],
    ['192.0.2.1', '10.1.2.3/40', 'a name'],
    ['10.9.9.9', 'cam', 'camera'],
    ['192.0.2.1', 'x', undefined],
  ] as const
  for (const [address, stream, expected] of rows) assert.equal(labels.of(address, stream), expected)
})

test('limits count IPv6 callers by network', () => {
  const limits = new CallerLimits()
  const options = { connections: 3, perAddress: 1 }
  const leave = limits.enter('2001:db8::1', options)
  assert.ok(leave !== undefined)
  assert.equal(limits.enter('2001:db8:0:0:ffff::2', options), undefined)
  assert.ok(limits.enter('2001:db8:0:1::2', options) !== undefined)
  leave()
  leave()
  assert.equal(limits.size, 1)
  assert.ok(limits.enter('2001:db8::2', options) !== undefined)
  assert.ok(limits.enter('192.0.2.1', options) !== undefined)
  assert.equal(limits.enter('192.0.2.2', options), undefined)
})

test('a wildcard address on a machine with several addresses is warned of', () => {
  const entry = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
    ({
      address,
      family,
      internal,
      netmask: '',
      mac: '',
      cidr: null,
      ...(family === 'IPv6' ? { scopeid: 0 } : {}),
    }) as never
  const one = { lo: [entry('127.0.0.1', 'IPv4', true)], eth0: [entry('192.0.2.1', 'IPv4'), entry('fe80::1', 'IPv6')] }
  const two = { ...one, eth1: [entry('198.51.100.1', 'IPv4')] }
  assert.equal(wildcardWarning('0.0.0.0', one), undefined)
  assert.equal(wildcardWarning('192.0.2.1', two), undefined)
  assert.match(wildcardWarning('0.0.0.0', two) ?? '', /2 IPv4 addresses \(192.0.2.1, 198.51.100.1\)/)
  assert.match(wildcardWarning('::', two) ?? '', /2 IPv4 addresses/)
  assert.equal(wildcardWarnings('[::]:9999', two).length, 1)
  assert.deepEqual(wildcardWarnings('192.0.2.1:9999', two), [])
})

test('a request waits for the output that will have its stream, and is rejected with 1404 when none comes', async () => {
  await using bench = await SrtBench.open({ offline: { waitFor: '300ms' } })
  bench.input()
  assert.equal(await bench.refusalOf('read:nobody'), REJECT.notFound)
  bench.options$.next({ ...bench.options$.value, offline: { waitFor: 20_000 } })
  const early = bench.call('read:late')
  await until(() => bench.waiting === 1, 'the request waits')
  const asked: string[] = []
  using _other = bench.listener.offerTo({ mode: 'request', take: () => undefined })
  assert.equal(bench.waiting, 1)
  using _ = bench.listener.offerTo({
    mode: 'request',
    take: ({ resource }) => {
      asked.push(resource)
      return { onConnection: () => undefined }
    },
  })
  await early
  assert.deepEqual(asked, ['late'])
  assert.equal(bench.waiting, 0)
})

test('a listener on [::] takes IPv4 too, unless the system says otherwise; of others nothing is said', () => {
  assert.equal(
    isDualStack('::', () => '0\n'),
    true,
  )
  assert.equal(
    isDualStack('::', () => '1\n'),
    false,
  )
  assert.equal(isDualStack('0.0.0.0'), undefined)
  assert.equal(isDualStack('::1'), undefined)
})
