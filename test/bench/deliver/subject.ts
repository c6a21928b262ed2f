// The subject of a measurement: a process that serves a stream over HTTP, with a load client that reads it.
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Child } from '../../e2e/kit/child.js'
import { type EngineProcess, startEngine } from '../../e2e/kit/start-engine.js'
import { until } from '../../e2e/kit/until.js'
import { LoadProcess } from '../load/load-process.js'
import { SERVER_CORE, type Tools } from '../measure/bench-machine.js'
import { Scraper } from './scraper.js'

export interface Subject extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  readonly load: LoadProcess
}

export interface EngineSetup {
  /** Options of the input, as YAML between braces. */
  readonly input: string
  /** Number of pipelines that differ only in their path; by default one. */
  readonly channels?: number
  /** Additional options of the output. */
  readonly output?: string
  readonly files?: Readonly<Record<string, Uint8Array>>
}

/** Starts the whole product: validation, GOPs, http-ts, and scraped metrics. */
export async function startProduct(name: string, setup: EngineSetup, tools: Tools): Promise<Subject> {
  const yaml = [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, log: { level: warn }, drain: 1s }',
    'listeners: { web: { address: "127.0.0.1:0", maxConnections: 20000 } }',
    'services: { metrics: { type: prometheus, listener: api, path: /metrics } }',
    'pipelines:',
    ...Array.from({ length: setup.channels ?? 1 }, (_, index) =>
      pipeline(index === 0 ? 'one' : `more-${index}`, setup),
    ),
    '',
  ].join('\n')
  const engine = await startEngine({ yaml, files: setup.files ?? {} })
  tools.pin(SERVER_CORE, engine.child.pid)
  await engine.ready()
  const scraper = new Scraper(`${engine.api}/metrics`)
  return new RunningSubject(name, engine.child.pid, new LoadProcess(await engine.url(), tools), async () => {
    scraper[Symbol.dispose]()
    await stopEngine(engine)
  })
}

function pipeline(name: string, { input, output }: EngineSetup): string {
  const more = output === undefined ? '' : `, ${output}`
  return [
    `  ${name}:`,
    `    inputs: { main: { ${input} } }`,
    '    transforms: { check: { type: ts-validate, from: main }, gops: { type: gop, from: check } }',
    `    outputs: { out: { type: http-ts, from: gops, listener: web, path: /${name}.ts${more} } }`,
  ].join('\n')
}

/** Starts the minimum that Node can do, with the same batches. */
export function startBareSender(name: string, args: readonly string[], tools: Tools): Promise<Subject> {
  const program = fileURLToPath(new URL('../reference/bare-sender.js', import.meta.url))
  return startSender(name, [process.execPath, program, ...args], tools)
}

/** Starts the minimum that C can do, with the same batches; undefined without a compiler. */
export async function startCSender(name: string, args: readonly string[], tools: Tools): Promise<Subject | undefined> {
  return tools.sender === undefined ? undefined : await startSender(name, [tools.sender, ...args], tools)
}

async function startSender(name: string, command: readonly string[], tools: Tools): Promise<Subject> {
  const [program = '', ...args] = tools.pinned(SERVER_CORE, command)
  const child = new Child(program, args, { cwd: '/' })
  const url = await until(
    () => /^(http:.*)\n/.exec(child.stdout)?.[1],
    () => `${name} prints nothing: ${child.stderr}`,
  )
  return new RunningSubject(name, child.pid, new LoadProcess(url, tools), () => child[Symbol.asyncDispose]())
}

class RunningSubject implements Subject {
  readonly name: string
  readonly pid: number
  readonly load: LoadProcess
  readonly #stop: () => Promise<void>

  constructor(name: string, pid: number, load: LoadProcess, stop: () => Promise<void>) {
    this.name = name
    this.pid = pid
    this.load = load
    this.#stop = stop
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load[Symbol.asyncDispose]()
    await this.#stop()
  }
}

async function stopEngine(engine: EngineProcess): Promise<void> {
  try {
    await engine.stop()
  } finally {
    await engine[Symbol.asyncDispose]()
  }
}
