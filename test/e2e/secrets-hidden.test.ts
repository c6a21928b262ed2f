// Secrets in every place where a configuration, a client or a server can have one, and everything that the engine says: none
// of them is in it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { httpRequest } from './kit/http-request.js'
import { runCommandLine, startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

/** Each secret begins like this; what follows says where it came from. */
const HUSH = 'hush-'
let count = 0
const hush = (): string => `${HUSH}${String(++count).padStart(4, '0')}-value`

/** Sends every request on to another URL with a secret of its own, and then refuses it, repeating what it was asked. */
class EchoingServer implements AsyncDisposable {
  readonly #server: Server = createServer((request, response) => this.#answer(request, response))
  requests = 0

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests++
    if (request.method === 'GET' && request.url?.startsWith('/moved') === false) {
      response.writeHead(302, { location: `/moved?sig=${hush()}&${request.url.split('?')[1] ?? ''}` }).end()
    } else {
      const text = `not allowed: ${request.url} ${JSON.stringify(request.headers)}`
      response.writeHead(403, text.slice(0, 200).replaceAll(/[^ -~]/g, '?')).end(text)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function yamlFor(server: string, token: string, changed = hush()): string {
  const echo = `echo "$0 $@ $FEED_TOKEN" >&2; exit 1`
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, accessLog: access.log, drain: 1s, log: { level: trace } }
listeners:
  web: { address: "127.0.0.1:0" }
  srt: { protocol: srt, address: "127.0.0.1:0", passphrase: ${hush()} }
  rtmp: { protocol: rtmp, address: "127.0.0.1:0" }
auth:
  tokens: { type: token, tokens: [${token}], actions: [read, publish] }
  people: { type: basic, users: { anna: ${hush()} } }
  links: { type: signed, keys: { one: ${hush()}${hush()} } }
  hook: { type: webhook, url: "http://${server}/hook?token=${hush()}", headers: { X-Api-Key: ${hush()} }, secret: ${hush()} }
services:
  metrics: { type: prometheus, listener: web }
  alarm: { type: webhook, url: "http://${server}/alarm?key=${hush()}", events: [heartbeat], heartbeat: 1s, secret: ${hush()}, headers: { Authorization: "Bearer ${hush()}" } }
pipelines:
  card:
    inputs: { main: { type: file, path: card.ts, loop: true } }
    outputs:
      ts: { type: http-ts, from: main, listener: web, path: /live.ts, auth: [tokens, people, links] }
      hooked: { type: http-ts, from: main, listener: web, path: /hooked.ts, auth: hook }
      hls: { type: hls, from: main, listener: web, path: /hls/index.m3u8, auth: tokens }
      pushed: { type: rtmp, from: main, mode: push, url: "rtmp://bob:${hush()}@127.0.0.1:1/app/name?token=${hush()}" }
      called: { type: srt, from: main, mode: caller, address: "srt://127.0.0.1:1?streamid=%23!::r=live,s=${hush()}&passphrase=${hush()}" }
  user: { inputs: { main: { type: http, url: "http://anna:${hush()}@${server}/a?access_token=${changed}" } } }
  login: { inputs: { main: { type: http, url: "http://${server}/b?pass=${hush()}", auth: { type: basic, username: anna, password: ${hush()} } } } }
  headers: { inputs: { main: { type: http, urls: ["http://${server}/c?X-Amz-Signature=${hush()}"], headers: { Authorization: "Bearer ${hush()}", Cookie: "a=${hush()}" } } } }
  program: { inputs: { main: { type: exec, command: [sh, -c, '${echo}', "http://x.example/?key=${hush()}", --token, ${hush()}, "-H", "Authorization: Bearer ${hush()}"], env: { FEED_TOKEN: ${hush()} } } } }
  film: { inputs: { main: { type: ffmpeg, url: "http://anna:${hush()}@${server}/film?sig=${hush()}" } } }
  pulled: { inputs: { main: { type: rtmp, mode: pull, url: "rtmp://127.0.0.1:1/app/name?token=${hush()}" } } }
  srt: { inputs: { main: { type: srt, mode: caller, address: "srt://127.0.0.1:1?streamid=%23!::r=live,s=${hush()}" } } }
  signed: { inputs: { main: { type: http, url: "http://${server}/d?hdnts=exp=17~acl=/*~hmac=${hush()}&wmsAuthSign=${hush()}&auth=${hush()}&tok%65n=${hush()}&of-this-service=${hush()}" } } }
  prefixed: { inputs: { main: { type: srt, mode: caller, address: "127.0.0.1:1", streamId: "publish:cam:anna:${hush()}" } } }
  published: { inputs: { main: { type: rtmp, listener: rtmp, app: live, streams: name, auth: tokens } } }
`
}

/** What clients present: right, wrong, in places where it does not belong. */
async function visit(engine: EngineProcess, token: string): Promise<void> {
  const url = new URL(await engine.url('card/ts')).origin
  const ask = (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
    httpRequest(`${url}${path}`, { method: 'GET', headers })
  const viewer = await fetch(`${url}/live.ts?token=${token}`, { headers: { referer: `http://x/?token=${hush()}` } })
  await viewer.body?.cancel()
  await Promise.all([
    ask(`/live.ts?token=${hush()}`),
    ask('/live.ts', { authorization: `Basic ${Buffer.from(`anna:${hush()}`).toString('base64')}` }),
    ask(`/live.ts?sig=${hush()}&expires=1`),
    ask(`/hooked.ts?token=${hush()}`, { authorization: `Bearer ${hush()}` }),
    ask(`/hls/index.m3u8?token=${token}`),
    ask(`/hls/nothing.ts?token=${hush()}`),
    ask(`/nowhere?password=${hush()}`),
    httpRequest(`${engine.api}/api/v1/status?token=${hush()}`, { headers: { authorization: `Bearer ${hush()}` } }),
  ])
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Everything that can be read from outside, by what it is. */
async function everythingSaid(engine: EngineProcess): Promise<Map<string, string>> {
  const said = new Map([['log', engine.child.stderr + engine.child.stdout]])
  const paths = ['status', 'clients', 'config', 'config?source=disk', 'history', 'logs', 'node-types'].map(
    (name) => `/api/v1/${name}`,
  )
  const { pipelines } = await engine.status()
  for (const { id } of pipelines.flatMap(({ nodes }) => nodes)) {
    const [pipeline, node] = id.split('/')
    const of = `/api/v1/pipelines/${pipeline}/nodes/${node}`
    paths.push(of, `${of}/explain`, `${of}/options`)
  }
  for (const path of ['/', '/readyz', ...paths]) said.set(path, (await httpRequest(`${engine.api}${path}`)).text)
  const events = await fetch(`${engine.api}/api/v1/events`, { headers: { 'last-event-id': '0' } })
  const reader = events.body!.getReader()
  let text = ''
  while (!text.includes('event: reload') && !text.includes('event: sample')) {
    const { value } = await reader.read()
    text += Buffer.from(value ?? []).toString()
  }
  await reader.cancel()
  said.set('events', text)
  const web = new URL(await engine.url('card/ts')).origin
  for (const path of ['/metrics', '/']) said.set(`web ${path}`, (await httpRequest(`${web}${path}`)).text)
  await Promise.all(
    [
      ['status'],
      ['status', '--json'],
      ['check', 'pipeline.yaml'],
      ['config', 'pipeline.yaml'],
      ['config'],
      ['clients'],
    ].map(async (args) => {
      const all = args.includes('pipeline.yaml') ? args : [...args, '--api', engine.api]
      await using child = runCommandLine(all, engine.folder.path)
      await child.exited
      said.set(`engine ${args.join(' ')}`, child.stdout + child.stderr)
    }),
  )
  said.set('access log', await readFile(join(engine.folder.path, 'access.log'), 'utf8'))
  // The texts of configurations are kept as they are, for the user who runs the engine alone.
  for (const file of await filesBelow(join(engine.folder.path, 'state')))
    if (!/history|last-good/.test(file)) said.set(file, await readFile(file, 'latin1'))
  return said
}

test('no secret of a configuration, of a client or of a server is in anything that the engine says', async () => {
  await using server = new EchoingServer()
  const address = await server.listen()
  const token = hush()
  await using engine = await startEngine({
    yaml: yamlFor(address, token),
    files: { 'card.ts': buildTs({ durationS: 2 }).bytes },
  })
  await until(async () => (await engine.node('card/ts')).state === 'ready', 'it serves')
  await visit(engine, token)
  const failing = ['user', 'login', 'headers', 'program', 'film', 'pulled', 'srt', 'signed', 'prefixed']
  await until(
    async () => (await Promise.all(failing.map((name) => engine.node(`${name}/main`)))).every(({ why }) => why !== ''),
    'every source has failed',
  )
  await engine.folder.write('pipeline.yaml', yamlFor(address, token, hush()))
  await until(() => engine.child.stderr.includes('"reload.applied"') || /reload/.test(engine.child.stderr), 'reloaded')
  const said = await everythingSaid(engine)
  assert.ok(count > 50 && server.requests > 5)
  for (const [where, text] of said) {
    const at = text.indexOf(HUSH)
    assert.equal(at, -1, `${where}: ${text.slice(Math.max(0, at - 300), at + 100)}`)
  }
  // It has said something at all.
  for (const where of ['log', '/api/v1/status', '/api/v1/config', 'engine check pipeline.yaml'])
    assert.match(said.get(where) ?? '', /\*\*\*|in clear/, where)
  await engine.stop()
})
