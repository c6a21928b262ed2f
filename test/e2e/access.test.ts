// Access control: providers in front of a live path, the clients in the control API, the access log, and a webhook that
// never responds.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { signLink } from '@millrace/engine'
import type { ClientList } from '@millrace/engine/api'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean } from './kit/assert-clean.js'
import { engineYaml } from './kit/engine-yaml.js'
import { getJson, httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { type EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
const KEY = 'a key that only the two of us know'
const SECRETS = ['geheim-und-lang', 'tv-token-123456', KEY]

async function startGuarded(top: string, outputs: Readonly<Record<string, string>>): Promise<EngineProcess> {
  const input = `path: ${CLIP}, loop: true`
  const yaml = engineYaml({ one: { input, outputs } }, { engine: 'drain: 5s, accessLog: access.log' })
  const engine = await startEngine({ yaml: yaml.replace('pipelines:', `${top}\npipelines:`) })
  await engine.ready()
  return engine
}

function basic(user: string, password: string): string {
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

async function statusOf(url: string, headers: readonly string[] = []): Promise<number> {
  await using reader = new HttpReader(url, { headers, check: false })
  await reader.until(({ status, ended }) => status > 0 || ended !== 'open')
  return reader.report().status
}

const AUTH = [
  'auth:',
  '  viewers: { type: basic, users: { anna: geheim-und-lang } }',
  '  tvs: { type: token, tokens: [tv-token-123456] }',
  `  links: { type: signed, keys: { now: "${KEY}" } }`,
  '  elsewhere: { type: ip, allow: [192.0.2.0/24] }',
].join('\n')

test('each provider admits the right viewers, and no secret is written anywhere', async () => {
  await using engine = await startGuarded(AUTH, {
    basic: 'auth: viewers',
    any: 'auth: [elsewhere, viewers, tvs, links]',
    nobody: 'auth: elsewhere',
  })
  const [guarded, any, nobody] = await Promise.all(['basic', 'any', 'nobody'].map((name) => engine.url(`one/${name}`)))
  assert.ok(guarded !== undefined && any !== undefined && nobody !== undefined)
  assert.equal(await statusOf(guarded), 401)
  assert.equal(await statusOf(guarded, [basic('anna', 'wrong')]), 401)
  assert.equal(await statusOf(guarded, [basic('anna', 'geheim-und-lang')]), 200)
  assert.equal(await statusOf(`${any}?token=tv-token-123456`), 200)
  assert.equal(await statusOf(`${any}?token=tv-token-12345`), 401)
  const expires = Math.floor(Date.now() / 1000) + 60
  assert.equal(await statusOf(signLink(any, { keyId: 'now', key: KEY, expires })), 200)
  assert.equal(await statusOf(signLink(any, { keyId: 'now', key: KEY, expires: 1 })), 401)
  assert.equal(await statusOf(nobody), 403)

  const head = await httpRequest(guarded, { method: 'HEAD' })
  assert.equal(head.status, 401)
  assert.equal(head.headers['www-authenticate'], 'Basic realm="millrace", charset="UTF-8"')
  const signedIn = `Basic ${Buffer.from('anna:geheim-und-lang').toString('base64')}`
  const allowed = await httpRequest(guarded, { method: 'HEAD', headers: { authorization: signedIn } })
  assert.equal(allowed.status, 200)

  const log = join(engine.folder.path, 'access.log')
  const { lines, entries, left } = await until(async () => {
    const written = (await readFile(log, 'utf8')).trim().split('\n')
    const parsed = written.map((line) => JSON.parse(line) as Record<string, unknown>)
    const anna = parsed.find(({ user }) => user === 'anna')
    return written.length >= 8 && anna !== undefined && { lines: written, entries: parsed, left: anna }
  }, 'the access log has a line for each visit')
  assert.deepEqual([left['status'], left['reason'], left['path']], [200, 'left', '/one/basic.ts'])
  assert.ok(entries.some(({ status, reason }) => status === 403 && reason === 'address'))
  const metrics = (await httpRequest(`${engine.api}/metrics`)).text
  assert.match(metrics, /millrace_auth_refused_total\{reason="bad-credentials"\} 2/)
  const everything = [...lines, metrics, JSON.stringify(await engine.status()), engine.child.stderr].join('\n')
  for (const secret of [...SECRETS, signedIn.slice(6)]) assert.ok(!everything.includes(secret), 'a secret was written')
  await engine.stop()
})

test('guessing is blocked after ten failures, and connected viewers stay connected', async () => {
  await using engine = await startGuarded(AUTH, { out: 'auth: viewers' })
  const url = await engine.url('one/out')
  await using viewer = new HttpReader(url, { headers: [basic('anna', 'geheim-und-lang')] })
  await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  for (let count = 0; count < 10; count++) assert.equal(await statusOf(url, [basic('anna', `guess ${count}`)]), 401)
  assert.equal(await statusOf(url, [basic('anna', 'geheim-und-lang')]), 429)
  const { bodyBytes } = viewer.report()
  await viewer.until((now) => now.bodyBytes > bodyBytes + 100_000)
  assertClean('the viewer', viewer.report().ts)
})

test('the command line lists and disconnects viewers', async () => {
  await using engine = await startGuarded(AUTH, { out: 'auth: viewers' })
  const url = await engine.url('one/out')
  const headers = [basic('anna', 'geheim-und-lang'), 'User-Agent: test/1']
  await using viewer = new HttpReader(url, { headers })
  await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  const { clients } = await getJson<ClientList>(`${engine.api}/api/v1/clients?node=one/out`)
  const [client] = clients
  assert.ok(client !== undefined && clients.length === 1)
  assert.deepEqual([client.user, client.userAgent, client.state], ['anna', 'test/1', 'reading'])
  // From any folder: the engine tells where its token is, and this user may read it.
  const env = { ENGINE_API: engine.api }
  await using list = runCommandLine(['clients', '--json'], engine.folder.path, env)
  assert.equal((await list.exited).code, 0)
  assert.equal((JSON.parse(list.stdout) as ClientList).clients[0]?.id, client.id)
  await using kick = runCommandLine(['kick', client.id], tmpdir(), env)
  assert.equal((await kick.exited).code, 0, kick.stderr)
  await viewer.until(({ ended }) => ended !== 'open')
  await using again = runCommandLine(['kick', client.id], tmpdir(), env)
  assert.equal((await again.exited).code, 1)
})

test('a webhook that never responds delays no viewer, and receives the source event', async () => {
  const bodies: string[] = []
  const hook = createServer((request) => void request.on('data', (part: Buffer) => bodies.push(part.toString())))
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = hook.address() as AddressInfo
    const options = `url: "http://127.0.0.1:${port}/", queue: 5, timeout: 30s`
    const events = 'events: [source_up, client_connect, client_disconnect]'
    const top = `services: { hook: { type: webhook, ${options}, ${events} } }`
    const input = `path: ${CLIP}, loop: true`
    const yaml = engineYaml({ one: { input } }).replace(/^services: .*$/m, top)
    await using engine = await startEngine({ yaml })
    await engine.ready()
    const url = await engine.url('one/out')
    await using reader = new HttpReader(url)
    await reader.until(({ bodyBytes }) => bodyBytes > 0)
    for (let count = 0; count < 20; count++) assert.equal(await statusOf(url), 200)
    await reader.until(({ bodyBytes }) => bodyBytes > 500_000)
    assertClean('the reader', reader.report().ts)
    await until(() => bodies.length > 0, 'the hook was called')
    assert.match(bodies[0] ?? '', /"event":"source_up".*"node":"one\/main"/)
    assert.equal(bodies.length, 1, 'one at a time')
    await engine.stop()
  } finally {
    hook.closeAllConnections()
    await new Promise((resolve) => hook.close(resolve))
  }
})
