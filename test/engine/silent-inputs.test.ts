// What people see of inputs that hold their resources and receive nothing: the state of each kind.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLog } from '@millrace/engine'
import { scrape } from '../e2e/kit/metrics-page.js'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

class SilentServer implements AsyncDisposable {
  readonly #sockets: Socket[] = []
  readonly #server: Server = createServer((socket) => this.#sockets.push(socket))

  async listen(at: { path: string } | { port: 0; host: string }): Promise<number> {
    await once(this.#server.listen(at), 'listening')
    return 'port' in at ? (this.#server.address() as AddressInfo).port : 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const CONNECTED = /^connected, no packets so far$/
const EXPECTED: Readonly<Record<string, readonly [state: string, why: RegExp, isConnected: boolean]>> = {
  fifo: ['waiting', /^no program writes into the pipe$/, false],
  udp: ['waiting', /^nothing arrives at 127\.0\.0\.1:0$/, false],
  tcp: ['waiting', CONNECTED, true],
  'unix-client': ['waiting', CONNECTED, true],
  'unix-server': ['idle', /^no program is connected/, true],
  exec: ['waiting', CONNECTED, true],
  published: ['idle', /^nobody publishes/, true],
  missing: ['waiting', /no such file/, false],
}

test('an input that receives nothing is waiting or idle, says why, and is not ready unless nobody has to send', async () => {
  await using tcp = new SilentServer()
  await using unix = new SilentServer()
  await using live = await TestEngine.create()
  const path = (name: string): string => join(live.folder.path, name)
  execFileSync('mkfifo', [path('live.fifo')])
  await unix.listen({ path: path('silent.sock') })
  const port = await tcp.listen({ port: 0, host: '127.0.0.1' })
  const engine = await live.start(`
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }
listeners:
  web: { address: "127.0.0.1:0" }
  contribution: { protocol: tcp, address: "127.0.0.1:0" }
services: { metrics: { type: prometheus, listener: web } }
pipelines:
  fifo: { inputs: { main: { type: file, path: live.fifo } } }
  udp: { inputs: { main: { type: udp, address: "127.0.0.1:0", readTimeout: 0s } } }
  tcp: { inputs: { main: { type: tcp, mode: connect, address: "127.0.0.1:${port}" } } }
  unix-client: { inputs: { main: { type: unix, path: silent.sock, mode: connect } } }
  unix-server: { inputs: { main: { type: unix, path: live.sock } } }
  exec: { inputs: { main: { type: exec, command: [sleep, "60"] } } }
  published: { inputs: { main: { type: tcp, listener: contribution, streams: key } } }
  missing: { inputs: { main: { type: file, path: missing.ts } } }
`)
  for (const [name, [state, why, isConnected]] of Object.entries(EXPECTED)) {
    const node = (): ReturnType<TestEngine['node']> => live.node(`${name}/main`)
    await until(
      () => node().state === state && why.test(node().why),
      () => `${name} is ${state}: it is ${node().state}: ${node().why}`,
    )
    const ready = engine.readiness({ node: `${name}/main` })
    assert.equal(ready?.ready, state === 'idle', name)
    if (state === 'waiting') assert.deepEqual(ready?.reasons, [`${name}/main: ${node().why}`])
    const page = await scrape(`http://${live.address('web')}`)
    assert.equal(page.value('millrace_input_connected', { pipeline: name }), Number(isConnected), name)
  }
})

test('a program that ends before it has sent a packet is started again, and is never said to be ready again', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', stream: { write: (line: string) => lines.push(line) } })
  await using live = await TestEngine.create()
  await live.start(
    `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }
pipelines: { one: { inputs: { main: { type: exec, command: [sh, -c, "exit 3"] } } } }
`,
    log,
  )
  await until(
    () => live.node('one/main').restarts >= 2 && live.node('one/main').state === 'waiting',
    'it has failed again',
  )
  assert.ok(lines.filter((line) => line.includes('"retryInMs"')).length >= 2, lines.join(''))
  assert.ok(!lines.some((line) => line.includes('ready again')), lines.join(''))
})
