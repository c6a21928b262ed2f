import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientStatus } from '../../api/status-fixture.test.kit.js'
import { keepStreams } from '../cli-streams.test.kit.js'
import { TestApi } from '../control-api.test.kit.js'
import { clientsVerb, renderClients } from './clients.js'

test('clients are listed for people and as JSON', async () => {
  await using api = await TestApi.start()
  const list = (streams: ReturnType<typeof keepStreams>, options: object = {}): Promise<number> =>
    clientsVerb.run({ streams, folder: '/nowhere' }, { api: api.url, ...options })
  const streams = keepStreams()
  assert.equal(await list(streams), 0)
  assert.match(streams.outText(), /^id .*\nk3f9-7 +live\/ts +http +192\.0\.2\.1:5000 +anna .* 5\.00 kB .*VLC\/3\.0\n$/)
  const json = keepStreams()
  assert.equal(await list(json, { json: true }), 0)
  assert.deepEqual(JSON.parse(json.outText()), { clients: [clientStatus] })
  const none = keepStreams()
  assert.equal(await list(none, { node: 'live/main' }), 0)
  assert.equal(none.outText(), 'no viewers\n')
  assert.equal(await list(keepStreams(), { node: 'gone/out' }), 1)
})

test('label, RTT, loss and retransmissions are columns only if a client has them', () => {
  const plain = keepStreams()
  assert.doesNotMatch(renderClients([clientStatus], plain), /label|rtt/)
  const measured = { ...clientStatus, label: 'studio', connection: { rttMs: 42, lost: 3, retransmitted: 2 } }
  const table = renderClients([clientStatus, measured], plain).split('\n')
  assert.match(table[0] ?? '', / label +rtt +lost +resent$/)
  assert.match(table[1] ?? '', / - +- +- +-$/)
  assert.match(table[2] ?? '', / studio +42 ms +3 +2$/)
})
