import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { isPassword, parsePasswordHash } from '../access/password-hash.js'
import { createControlApi } from '../api/control-api.js'
import { clientStatus, statusSource } from '../api/status-fixture.test.kit.js'
import { createLog } from '../observe/log.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { kickClient, showClients } from './clients.js'
import { hashFromInput } from './hash.js'
import { linkFromInput } from './link.js'
import { readSecret, type SecretInput } from './read-secret.js'

const TOKEN = 'the-token-of-this-test-0123456789'
let server: Server
let api: string

before(async () => {
  const log = createLog({ level: 'error', stream: { write: () => undefined } })
  const handler = createControlApi({ source: statusSource, token: TOKEN, hosts: [], boundAddresses: () => [], log })
  server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

test('clients are listed for people and as JSON', async () => {
  const streams = keepStreams()
  assert.equal(await showClients(streams, { api, folder: '/nowhere' }), 0)
  assert.match(streams.outText(), /^id .*\nk3f9-7 +live\/ts +192\.0\.2\.1:5000 +anna .* 5\.00 kB .*VLC\/3\.0\n$/)
  const json = keepStreams()
  assert.equal(await showClients(json, { api, json: true, folder: '/nowhere' }), 0)
  assert.deepEqual(JSON.parse(json.outText()), { clients: [clientStatus] })
  const none = keepStreams()
  assert.equal(await showClients(none, { api, node: 'live/main', folder: '/nowhere' }), 0)
  assert.equal(none.outText(), 'no viewers\n')
  assert.equal(await showClients(keepStreams(), { api, node: 'gone/out', folder: '/nowhere' }), 1)
})

test('a viewer is sent away by its id, with the token', async () => {
  const withToken = { ENGINE_TOKEN: TOKEN }
  const streams = keepStreams(withToken)
  assert.equal(await kickClient('k3f9-7', streams, { api, folder: '/nowhere' }), 0)
  assert.match(streams.errText(), /192\.0\.2\.1:5000 is sent away from live\/ts/)
  assert.equal(await kickClient('other', keepStreams(withToken), { api, folder: '/nowhere' }), 1)
  assert.equal(await kickClient('k3f9-7', keepStreams(), { api, folder: '/nowhere' }), 1)
  assert.equal(await kickClient('k3f9-7', keepStreams(), { api: 'http://127.0.0.1:1', folder: '/nowhere' }), 69)
})

function piped(...parts: (string | Uint8Array)[]): SecretInput {
  return Readable.from(parts.map((part) => Buffer.from(part as Uint8Array)))
}

test('hash makes a hash that fits, of a line from a pipe', async () => {
  const streams = keepStreams()
  assert.equal(await hashFromInput(streams, piped('se ', 'cret\n')), 0)
  const hash = parsePasswordHash(streams.outText().trim())
  assert.ok(hash !== undefined)
  assert.equal(await isPassword('se cret', hash), true)
})

test('what is no password makes no hash', async () => {
  for (const parts of [[''], ['\n'], ['a\nb\n'], ['a'.repeat(5000)], [Uint8Array.of(0xff)]]) {
    const streams = keepStreams()
    assert.equal(await hashFromInput(streams, piped(...parts)), 2)
    assert.equal(streams.outText(), '')
  }
})

test('a terminal shows nothing of what is typed', async () => {
  const modes: boolean[] = []
  const terminal = (keys: string): SecretInput =>
    Object.assign(piped(keys), { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) })
  const streams = keepStreams()
  assert.equal(await readSecret(terminal('sx\u007fecret\rmore'), streams.err, 'password: '), 'secret')
  assert.equal(streams.errText(), 'password: \n')
  assert.deepEqual(modes, [true, false])
  assert.equal(await readSecret(terminal('se\u0003'), streams.err, ''), undefined)
})

test('link signs for a while', async () => {
  const streams = keepStreams()
  const options = { key: 'new', for: '1h', prefix: '/live/', unixMs: 1_800_000_000_000 }
  assert.equal(await linkFromInput('http://tv.example/live/a.ts', streams, piped('a key of sixteen\n'), options), 0)
  const { searchParams } = new URL(streams.outText().trim())
  assert.deepEqual([...searchParams.keys()], ['expires', 'prefix', 'key', 'signature'])
  assert.deepEqual([searchParams.get('expires'), searchParams.get('prefix')], ['1800003600', '/live/'])
  for (const wrong of [{ for: '1 hour' }, { prefix: 'live' }]) {
    assert.equal(await linkFromInput('http://a/', keepStreams(), piped('key'), { ...options, ...wrong }), 2)
  }
})
