// What copies of a pattern pipeline cost: memory of 500 idle copies with a window of 2 s, and a reload that swaps a node
// of each. Prints the longest block of the event loop, and how soon a publisher that comes meanwhile is in. Fails if a
// copy takes more than 2 MB, the event loop is blocked for more than 50 ms, or the publisher waits longer than a second.
import { createLog, discoverPlugins, loadConfig, planReload, renderText, startEngine } from '@millrace/engine'
import type { Graph, RunningEngine } from '@millrace/engine'
import { defineInput } from '@millrace/engine/plugin'
import { buildTs, ScriptedPublishers } from '@millrace/engine/testing'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const COPIES = 500
const BUDGET = { copyBytes: 2e6, blockMs: 50, lateMs: 1000 }
/** Two seconds: the whole window. */
const STREAM = buildTs({ durationS: 2 }).bytes

const publishers = new ScriptedPublishers()
/** Copies that have followed reloads so far, as the log says. */
let followed = 0
/** Keys of copies that have started. */
const published = new Set<string>()
const pub = defineInput({
  type: 'bench-pub',
  summary: 'Scripted publishers.',
  produces: 'bytes',
  options: z.strictObject({}),
  examples: [],
  open: () => {
    throw new Error('needs streams')
  },
  publishers: (_options, context) => publishers.publishers(context),
})

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const discovered = await discoverPlugins({ yamlFiles: [], plugins: [], starterPackage: REPOSITORY })
  discovered.registry.add(pub, 'the bench')
  const load = async (maxDuration: string): Promise<Graph> => {
    const { graph, diagnostics } = await loadConfig([join(folder, 'a.yaml')], {
      env: {},
      plugins: () => Promise.resolve(discovered),
      contents: new Map([[join(folder, 'a.yaml'), yaml(maxDuration)]]),
    })
    if (graph === undefined) throw new Error(renderText(diagnostics))
    return graph
  }
  const log = createLog({ level: 'info', stream: { write: noteLine } })
  const engine = await startEngine(await load('10s'), { log })
  try {
    const failures = [await measureCopies(), await measureReload(engine, await load('5s'))].flat()
    for (const failure of failures) console.error(failure)
    if (failures.length > 0) process.exitCode = 1
  } finally {
    await engine.stop('the bench is over')
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureCopies(): Promise<readonly string[]> {
  const before = await memoryBytes()
  const startedMs = performance.now()
  using blocks = new LongestBlock()
  for (let index = 0; index < COPIES; index++) {
    publish(`k${index}`)
    if (index % 50 === 49) await until(() => published.size > index)
  }
  const startMs = (performance.now() - startedMs) / COPIES
  const blockMs = blocks.longestMs
  // The windows are full, and what was needed to start is garbage.
  await pause(3000)
  const copyBytes = ((await memoryBytes()) - before) / COPIES
  const size = `${(copyBytes / 1e6).toFixed(2)} MB each`
  console.log(
    `${COPIES} idle copies     ${size}   started in ${startMs.toFixed(1)} ms each   longest block ${blockMs.toFixed(0)} ms`,
  )
  return copyBytes > BUDGET.copyBytes ? [`a copy takes more than ${BUDGET.copyBytes / 1e6} MB`] : []
}

async function measureReload(engine: RunningEngine, next: Graph): Promise<readonly string[]> {
  const startedMs = performance.now()
  using blocks = new LongestBlock()
  const applying = engine.apply(planReload(engine.graph, next), next)
  publish('late')
  await until(() => published.has('late'))
  const lateMs = performance.now() - startedMs
  await applying
  await until(() => followed >= COPIES)
  const tookMs = performance.now() - startedMs
  const blockMs = blocks.longestMs
  console.log(
    `a swap in ${COPIES} copies  ${(tookMs / 1000).toFixed(1)} s   longest block ${blockMs.toFixed(0)} ms   a publisher was in after ${lateMs.toFixed(0)} ms`,
  )
  return [
    ...(blockMs > BUDGET.blockMs ? [`the event loop was blocked for more than ${BUDGET.blockMs} ms`] : []),
    ...(lateMs > BUDGET.lateMs ? [`a publisher waited longer than ${BUDGET.lateMs} ms`] : []),
  ]
}

function publish(key: string): void {
  publishers.connect(key, { address: `192.0.2.${key.length}` }).send(STREAM)
}

/** Measures how long the event loop does not turn, without the time in which other programs have the processor. */
class LongestBlock implements Disposable {
  longestMs = 0
  #isOver = false

  constructor() {
    let last = now()
    const turn = (): void => {
      const next = now()
      this.longestMs = Math.max(this.longestMs, Math.min(next.wallMs - last.wallMs, next.cpuMs - last.cpuMs))
      last = next
      if (!this.#isOver) setImmediate(turn)
    }
    setImmediate(turn)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
  }
}

function now(): { readonly wallMs: number; readonly cpuMs: number } {
  const { user, system } = process.cpuUsage()
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 }
}

function noteLine(text: string): void {
  const line = JSON.parse(text) as { readonly level: number; readonly msg: string; readonly [more: string]: unknown }
  followed += Number(line['followed'] ?? 0)
  if (line.msg === 'a stream is published') published.add(String(line['stream']))
  if (line.level >= 40) process.stderr.write(text)
}

async function memoryBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await pause(100)
  }
  return process.memoryUsage().rss
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error('it takes too long')
    await pause(20)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function yaml(maxDuration: string): string {
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" } }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'pipelines:',
    '  live:',
    '    inputs: { pub: { type: bench-pub, streams: "*", maxStreams: 1000 } }',
    `    transforms: { gops: { type: gop, from: pub, maxDuration: ${maxDuration} } }`,
    '    outputs: { ts: { type: http-ts, from: gops, listener: web, path: "/live/${stream}.ts", window: { duration: 2s } } }',
    '',
  ].join('\n')
}

await main()
