// pipelines/tcp-channels.yaml: three real ffmpegs publish over TCP, and viewers watch: publish, return within linger,
// takeover, limit, refusal.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { scrape } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const KEYS = ['news', 'sport', 'chess']
const REFUSALS = ['busy', 'full', 'header', 'header-too-long', 'bad-key']
const ENOUGH_BYTES = 200_000
/** A publisher that has been silent for this long may be replaced. */
const LOST_MS = 3500

test('three ffmpegs publish by key; a return, a takeover, a rival, a fourth key and junk cost no viewer', async () => {
  await using engine = await startChannels({ TCP_MAX_STREAMS: '3', TCP_LINGER: '30s' })
  await engine.ready()
  const publishers = new Map<string, Publisher>()
  const viewers = new Map<string, HttpReader>()
  try {
    for (const key of KEYS) publishers.set(key, await Publisher.start(await publishAddress(engine), key))
    for (const key of KEYS) {
      const url = await until(() => engine.url(`channels@${key}/ts`), `the copy of ${key}`)
      assert.equal(new URL(url).pathname, `/${key}.ts`)
      viewers.set(key, new HttpReader(url))
    }
    for (const viewer of viewers.values()) await viewer.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)

    // A second publisher of a key, a fourth key, and clients that speak nonsense: refused, closed and counted.
    const address = await publishAddress(engine)
    for (const line of ['news\n', 'fourth\n', '\0\0\0\n', 'x'.repeat(300), '../up\n']) {
      await closedByEngine(address, line)
    }
    const page = await scrape(engine.api)
    const refused = (reason: string): number =>
      page.value('millrace_listener_refused_total', { listener: 'pubs', reason }) ?? 0
    const counts = Object.fromEntries(REFUSALS.map((reason) => [reason, refused(reason)]))
    assert.deepEqual(counts, { busy: 1, full: 1, header: 1, 'header-too-long': 1, 'bad-key': 1 })

    await reload(engine)

    // The publisher of one key leaves and returns: its viewer stays, and the others do not notice.
    await publishers.get('news')?.[Symbol.asyncDispose]()
    const before = viewers.get('news')?.report().bodyBytes ?? 0
    publishers.set('news', await Publisher.start(address, 'news'))
    await viewers.get('news')?.until(({ bodyBytes }) => bodyBytes > before + ENOUGH_BYTES)

    // One falls silent without closing its connection: after `takeoverAfter` another may take over.
    const silent = publishers.get('sport')
    silent?.pause()
    const sport = viewers.get('sport')
    let [bytes, sinceMs] = [-1, performance.now()]
    await until(() => {
      const now = sport?.report().bodyBytes ?? 0
      if (now !== bytes) [bytes, sinceMs] = [now, performance.now()]
      return performance.now() - sinceMs > LOST_MS
    }, 'silence')
    publishers.set('sport', await Publisher.start(address, 'sport'))
    await sport?.until(({ bodyBytes }) => bodyBytes > bytes + ENOUGH_BYTES)
    await silent?.[Symbol.asyncDispose]()

    for (const [key, viewer] of viewers) {
      assert.equal(viewer.report().ended, 'open', key)
      assertJoin(key, assertClean(key, viewer.report().ts, { announced: key !== 'chess' }))
    }
  } finally {
    for (const each of [...publishers.values(), ...viewers.values()]) await each[Symbol.asyncDispose]()
  }
  await engine.stop()
})

/** Each copy gets another filter, which passes everything on too, and one more output. */
async function reload(engine: EngineProcess): Promise<void> {
  const yaml = await readFile(join(engine.folder.path, 'tcp-channels.yaml'), 'utf8')
  const filtered = yaml.replace('from: pub }', 'from: pub, pids: { exclude: [8190] } }')
  assert.notEqual(filtered, yaml)
  const more = "      more: { type: http-ts, from: gops, listener: web, path: '/more/${stream}.ts' }"
  await engine.folder.write(
    'tcp-channels.yaml',
    filtered.replace(/^ +ts: .*$/m, (ts) => `${ts}\n${more}`),
  )
  const command = runCommandLine(['reload', '--api', engine.api], engine.folder.path)
  assert.equal((await command.exited).code, 0, command.stderr)
  for (const key of KEYS) {
    await using viewer = new HttpReader(
      await until(() => engine.url(`channels@${key}/more`), `the new output of ${key}`),
    )
    await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  }
}

/** A real ffmpeg, and a relay that writes the line with the key before its stream. */
class Publisher implements AsyncDisposable {
  readonly #child: Child
  readonly #relay: ReturnType<typeof createServer>
  readonly #sockets = new Set<Socket>()

  static async start(address: string, key: string): Promise<Publisher> {
    const sockets = new Set<Socket>()
    const keep = (socket: Socket): Socket => {
      sockets.add(socket)
      return socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    const relay = createServer((encoder) => {
      const engine = keep(connectTo(address))
      engine.write(`${key}\r\n`)
      keep(encoder).pipe(engine)
      engine.on('close', () => encoder.destroy())
    })
    await once(relay.listen(0, '127.0.0.1'), 'listening')
    const { port } = relay.address() as AddressInfo
    const clip = ['-re', '-stream_loop', '-1', '-i', join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')]
    const args = ['-loglevel', 'error', '-nostdin', ...clip, '-c', 'copy', '-f', 'mpegts', `tcp://127.0.0.1:${port}`]
    return new Publisher(new Child('ffmpeg', args, { cwd: REPOSITORY_ROOT }), relay, sockets)
  }

  private constructor(child: Child, relay: ReturnType<typeof createServer>, sockets: Set<Socket>) {
    this.#child = child
    this.#relay = relay
    this.#sockets = sockets
  }

  /** It sends nothing more, and closes nothing. */
  pause(): void {
    this.#child.signal('SIGSTOP')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
    for (const socket of this.#sockets) socket.destroy()
    this.#relay.close()
  }
}

/** Connects, sends this, and resolves when the engine has closed the connection. */
async function closedByEngine(address: string, text: string): Promise<void> {
  const socket = connectTo(address)
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(text, 'latin1')
  if (!socket.closed) await once(socket, 'close')
}

function connectTo(address: string): Socket {
  const [host = '', port] = address.split(':')
  return connect({ host, port: Number(port) })
}

async function publishAddress(engine: EngineProcess): Promise<string> {
  const found = (await engine.status()).listeners.find(({ name }) => name === 'pubs')
  assert.ok(found !== undefined)
  return found.address
}

/** The shipped configuration, on other ports. */
async function startChannels(env: Readonly<Record<string, string>>): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const yaml = await readFile(join(REPOSITORY_ROOT, 'pipelines/tcp-channels.yaml'), 'utf8')
    const engine = 'engine: { api: { address: "127.0.0.1:0" }, stateDir: state }'
    await folder.write('tcp-channels.yaml', `${yaml}\n${engine}\n`)
    const ports = { TCP_PUBLISH_ADDRESS: '127.0.0.1:0', TCP_WATCH_ADDRESS: '127.0.0.1:0' }
    const child = runCommandLine(['run', 'tcp-channels.yaml'], folder.path, { ...ports, ...env })
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}
