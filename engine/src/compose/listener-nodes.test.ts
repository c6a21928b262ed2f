// Listeners by plugins in a whole engine: their nodes, what they provide to others, reloads, and plugins that misbehave.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import pino from 'pino'
import { NEVER } from 'rxjs'
import { z } from 'zod'
import { loadConfig } from '../config/load-config.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { defineErrors, isEngineError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { RawClient, until } from '../listen/loopback.test.kit.js'
import type { ListenerStatus } from '../observe/status.js'
import type { Definition } from '../plugin/contract.js'
import { defineInput, defineListener } from '../plugin/define.js'
import type { OpenListener, StreamConnection } from '../plugin/listener.js'
import { listenerName } from '../plugin/options.js'
import { registryOf } from '../plugin/registry.js'
import { LISTENERS, token } from '../plugin/tokens.js'
import { planReload } from '../reload/plan-reload.js'
import type { Engine } from '../run/engine.js'
import { buildEngine } from './build-engine.js'
import { openStateDir } from '../state/state-dir.js'

const ECHO = token<Echo>('test.Echo')
const later = defineErrors({ TEST_LATER: { sentence: 'Later.', hint: 'Wait.', reaction: 'retry' } })

interface Echo {
  readonly greeting: string
}

/** What the listeners of a test do; changed by it while they run. */
class Script {
  opened = 0
  handle: (connection: StreamConnection) => void = ({ socket, identified: _ }) => void socket.write('hello')
  open: () => Promise<void> = () => Promise.resolve()
  readonly connections: StreamConnection[] = []
  readonly seen: (string | undefined)[] = []

  readonly listener = defineListener({
    protocol: 'echo',
    transport: 'tcp',
    summary: 'For tests.',
    options: z.strictObject({
      greeting: z.string().default('hello').meta({ description: 'For tests.', reload: 'swap' }),
    }),
    provides: ECHO,
    refusals: ['rude'],
    examples: [],
    open: async ({ value }, _context, _deps, transport): Promise<OpenListener<Echo>> => {
      this.opened++
      transport.accept((connection) => {
        this.connections.push(connection)
        this.handle(connection)
      })
      await this.open()
      return { provides: value, [Symbol.asyncDispose]: () => Promise.resolve() }
    },
  })

  readonly input = defineInput({
    type: 'asks',
    summary: 'For tests.',
    produces: 'bytes',
    options: z.strictObject({ listener: listenerName('echo').meta({ description: 'For tests.' }) }),
    inject: { listeners: LISTENERS },
    examples: [],
    open: ({ value }, context, { listeners }) => {
      listeners.of(ECHO, value.listener).value$.subscribe((echo) => this.seen.push(echo?.greeting))
      context.ready()
      return { chunks: NEVER, [Symbol.asyncDispose]: () => Promise.resolve() }
    },
  })

  get definitions(): readonly Definition[] {
    return [this.listener as Definition, this.input]
  }
}

const TEXT = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }
listeners: { pubs: { protocol: echo, address: "127.0.0.1:0" } }
pipelines: { one: { inputs: { main: { type: asks, listener: pubs } } } }
`

class Bench {
  readonly engine: Engine
  readonly script: Script
  readonly folder: string
  static async start(t: TestContext, script = new Script(), text = TEXT, lines: string[] = []): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-listener-'))
    const graph = await load(folder, script, text)
    const stateDir = await openStateDir(graph.engine.stateDir)
    const createApi = () => ({ guard: () => true, respond: () => undefined }) as never
    const engine = buildEngine(graph, {
      log: pino({}, { write: (line) => void lines.push(line) }),
      stateDir,
      createApi,
    })
    t.after(async () => {
      await engine.stop('test')
      await rm(folder, { recursive: true, force: true })
    })
    await engine.start()
    return new Bench(engine, script, folder)
  }

  private constructor(engine: Engine, script: Script, folder: string) {
    this.engine = engine
    this.script = script
    this.folder = folder
  }

  get listener(): ListenerStatus {
    const found = this.engine.status().listeners.find(({ name }) => name === 'pubs')
    assert.ok(found)
    return found
  }

  get state(): string | undefined {
    return this.listener.node?.state
  }

  client(): RawClient {
    return new RawClient(this.listener.address)
  }

  async reload(change: (text: string) => string): Promise<void> {
    const next = await load(this.folder, this.script, change(TEXT))
    const plan = planReload(this.engine.graph, next)
    assert.deepEqual(plan.refusals, [])
    await this.engine.apply(plan, next)
  }
}

async function load(folder: string, script: Script, text: string): Promise<Graph> {
  const file = join(folder, 'live.yaml')
  await writeFile(file, text)
  const registry = registryOf(script.definitions)
  const { graph, diagnostics } = await loadConfig([file], {
    env: {},
    plugins: () => Promise.resolve({ registry, problems: [] }),
  })
  assert.ok(graph !== undefined, renderText(diagnostics))
  return graph
}

test('a listener is a node with its own state, and others see what it provides', async (t) => {
  const bench = await Bench.start(t)
  assert.equal(bench.listener.protocol, 'echo')
  assert.deepEqual(
    [bench.listener.node?.id, bench.listener.node?.kind, bench.state],
    ['listeners/pubs', 'listener', 'ready'],
  )
  const client = await bench.client().saw('hello')
  client.close()
  assert.equal(bench.script.seen.at(-1), 'hello')
  const text = await bench.engine.metrics.render()
  assert.match(text, /millrace_listener_accepted_total\{listener="pubs"\} 1/)
  assert.match(text, /millrace_node_up\{pipeline="listeners",node="pubs",type="echo"\} 1/)
  assert.equal(bench.engine.status().services.length, 0)
})

test('a swapped listener keeps connections that it knows, and whoever uses it sees the new one', async (t) => {
  const bench = await Bench.start(t)
  bench.script.handle = (connection) => {
    connection.identified()
    connection.socket.write('known')
  }
  const client = await bench.client().saw('known')
  await bench.reload((text) => text.replace('protocol: echo', 'protocol: echo, greeting: good day'))
  assert.equal(bench.script.opened, 2)
  assert.equal(bench.script.seen.at(-1), 'good day')
  bench.script.connections[0]?.socket.write(' and back')
  await client.saw('known and back')
  client.close()
})

test('an operator stops a listener, whose connections wait until it is started again', async (t) => {
  const bench = await Bench.start(t)
  const act = (action: 'restart' | 'disable' | 'enable'): Promise<unknown> =>
    bench.engine.operator?.act('listeners/pubs', action) ?? Promise.reject(new Error('no operator'))
  await act('disable')
  assert.deepEqual([bench.state, bench.script.seen.at(-1)], ['stopped', undefined])
  const waiting = bench.client()
  for (const action of ['enable', 'restart'] as const) {
    await act(action)
    assert.deepEqual([bench.state, bench.script.seen.at(-1)], ['ready', 'hello'])
    const client = await bench.client().saw('hello')
    client.close()
  }
  await waiting.saw('hello')
  waiting.close()
  assert.equal(bench.script.opened, 3)
})

test('a rebound listener keeps its node, and its connections', async (t) => {
  const bench = await Bench.start(t)
  const client = await bench.client().saw('hello')
  const { address } = bench.listener
  await bench.reload((text) =>
    text.replace('protocol: echo, address: "127.0.0.1:0"', 'protocol: echo, address: "127.0.0.2:0"'),
  )
  assert.notEqual(bench.listener.address, address)
  assert.equal(bench.script.opened, 1)
  bench.script.connections[0]?.socket.write(' again')
  await client.saw('hello again')
  client.close()
  const [host = '', port] = bench.listener.address.split(':')
  const moved = connect(Number(port), host)
  await until(() => bench.script.connections.length === 2, 'a connection at the new address')
  moved.destroy()
})

test('a listener is added and removed by a reload, with the nodes that use it', async (t) => {
  const bench = await Bench.start(t)
  const both = (text: string): string =>
    text
      .replace('listeners: {', 'listeners: { more: { protocol: echo, address: "127.0.0.1:0", greeting: more },')
      .replace('inputs: {', 'inputs: { other: { type: asks, listener: more },')
  await bench.reload(both)
  assert.equal(bench.script.seen.at(-1), 'more')
  assert.equal(bench.engine.readiness({ node: 'listeners/more' })?.ready, true)
  await bench.reload((text) => text)
  assert.deepEqual(
    bench.engine.status().listeners.map(({ name }) => name),
    ['api', 'pubs'],
  )
})

test('a listener that cannot be bound makes the reload fail, and nothing has changed', async (t) => {
  const bench = await Bench.start(t)
  const taken = bench.engine.status().listeners.find(({ name }) => name === 'api')?.address ?? ''
  await assert.rejects(
    bench.reload((text) =>
      text.replace('protocol: echo, address: "127.0.0.1:0"', `protocol: echo, address: "${taken}"`),
    ),
    (error) => isEngineError(error) && error.code === 'LISTEN_IN_USE',
  )
  const client = await bench.client().saw('hello')
  client.close()
})

test('what its connection handler throws fails the listener, and nobody else', async (t) => {
  const bench = await Bench.start(t)
  const known = bench.client()
  await known.saw('hello')
  bench.script.connections[0]?.identified()
  bench.script.handle = () => {
    throw new Error('broken')
  }
  const victim = bench.client()
  await until(() => bench.state === 'failed', 'the listener has failed')
  await victim.ended()
  assert.equal(bench.listener.node?.why, 'broken')
  assert.equal(bench.script.seen.at(-1), undefined)
  assert.deepEqual(
    bench.engine.readiness()?.reasons.filter((reason) => !reason.startsWith('one/main')),
    ['listeners/pubs: broken'],
  )
  bench.script.connections[0]?.socket.write(' still')
  await known.saw('hello still')
  known.close()
})

test('a handler that fails for a while is retried, and connections wait for it', async (t) => {
  const bench = await Bench.start(t)
  bench.script.handle = () => {
    throw later('TEST_LATER', 'not now')
  }
  const victim = bench.client()
  await until(() => bench.state === 'waiting', 'it waits for its next attempt')
  await victim.ended()
  bench.script.handle = ({ socket }) => void socket.write('back')
  const client = await bench.client().saw('back')
  client.close()
  assert.equal(bench.script.opened, 2)
  assert.equal(bench.script.seen.at(-1), 'hello')
})

test('a listener that opens late serves those that have waited', async (t) => {
  const script = new Script()
  let open = (): void => undefined
  script.open = () =>
    new Promise((resolve) => {
      open = resolve
    })
  const starting = Bench.start(t, script)
  await until(() => script.opened === 1, 'it opens')
  open()
  const bench = await starting
  const client = await bench.client().saw('hello')
  client.close()
})

test('a listener that never opens is given up after 10 s, told once, and everything else runs', async (t) => {
  const script = new Script()
  script.open = () => new Promise(() => undefined)
  const lines: string[] = []
  const bench = await Bench.start(t, script, TEXT, lines)
  assert.equal(bench.state, 'waiting')
  assert.match(bench.listener.node?.why ?? '', /did not open within 10 s/)
  assert.equal(bench.engine.readiness({ node: 'one/main' })?.reasons[0]?.startsWith('one/main: connected'), true)
  const client = bench.client()
  await client.ended()
  const text = await bench.engine.metrics.render()
  assert.match(text, /millrace_listener_refused_total\{reason="unserved",listener="pubs"\} 1/)
  assert.equal(lines.filter((line) => line.includes('did not open')).length, 1)
})

test('a connection that it refuses is counted, and the listener goes on', async (t) => {
  const bench = await Bench.start(t)
  bench.script.handle = (connection) => connection.refuse('rude')
  await bench.client().ended()
  const text = await bench.engine.metrics.render()
  assert.match(text, /millrace_listener_refused_total\{reason="rude",listener="pubs"\} 1/)
  assert.equal(bench.state, 'ready')
})
