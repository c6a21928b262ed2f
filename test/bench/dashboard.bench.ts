// What the dashboard costs: `engine top` at 200 nodes in 50 pipelines and a pattern pipeline with 500 copies of 3 nodes, as
// one row and as a list; and what 20 dashboards cost the engine, in its own process, while 200 viewers watch. Fails above 5 % of a core for a
// dashboard, and above 2 % of a core for what 20 of them cost the engine.
import { createLog, discoverPlugins, loadConfig, renderText, startEngine } from '@millrace/engine'
import { defineInput } from '@millrace/engine/plugin'
import { buildTs, ScriptedPublishers } from '@millrace/engine/testing'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { REPOSITORY_ROOT } from '../e2e/kit/repository-root.js'
import { engineLine, TmuxTerminal } from '../e2e/kit/tmux-terminal.js'
import { until } from '../e2e/kit/until.js'
import { median } from './measure/median.js'
import { coreShare, residentBytes } from './measure/process-usage.js'

const PIPELINES = 50
const COPIES = 500
const DASHBOARDS = 20
/** They are listed in each answer about viewers. */
const VIEWERS = 200
const BUDGET = { top: 0.05, engine: 0.02 }
const MEASURE_MS = 15_000
const SETTLE_MS = 8000
const TURN = { settleMs: 2000, ms: 4000, rounds: 10 }

const publishers = new ScriptedPublishers()
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
  const discovered = await discoverPlugins({ yamlFiles: [], plugins: [], starterPackage: REPOSITORY_ROOT })
  discovered.registry.add(pub, 'the bench')
  await writeFile(join(folder, 'in.ts'), buildTs({ durationS: 20 }).bytes)
  const path = join(folder, 'a.yaml')
  const { graph, diagnostics } = await loadConfig([path], {
    env: {},
    plugins: () => Promise.resolve(discovered),
    contents: new Map([[path, yaml()]]),
  })
  if (graph === undefined) throw new Error(renderText(diagnostics))
  const engine = await startEngine(graph, { log: createLog({ level: 'error', stream: { write: () => undefined } }) })
  try {
    const { bytes } = buildTs({ durationS: 2 })
    for (let index = 0; index < COPIES; index++) {
      publishers.connect(`k${index}`, { address: `192.0.2.${index % 250}` }).send(bytes)
      if (index % 20 === 19) await pause(20)
    }
    const api = new URL(engine.urls().find(({ label }) => label === 'control API')?.url ?? '').origin
    await until(() => engine.status().pipelines.length >= PIPELINES + COPIES, 'the copies')
    await pause(SETTLE_MS)
    const stream = engine.urls().find(({ label }) => label === 'p0/ts')?.url ?? ''
    const failures = [await measureEngine(api, stream), ...(await measureTop(api, folder))].flat()
    for (const failure of failures) console.error(failure)
    if (failures.length > 0) process.exitCode = 1
  } finally {
    await engine.stop('the bench is over')
    await rm(folder, { recursive: true, force: true })
  }
}

/** The same process is the engine: what it takes more while dashboards read, in short turns, since the machine varies. */
async function measureEngine(api: string, stream: string): Promise<readonly string[]> {
  const script = fileURLToPath(new URL('dashboard/readers.js', import.meta.url))
  const args = [script, api, String(DASHBOARDS), stream, String(VIEWERS)]
  const readers = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const turn = async (order: 'on' | 'off'): Promise<number> => {
    readers.stdin.write(`${order}\n`)
    await once(readers.stdout, 'data')
    await pause(TURN.settleMs)
    return coreShare(process.pid, TURN.ms)
  }
  const shares: { readonly off: number; readonly on: number }[] = []
  for (let round = 0; round < TURN.rounds; round++) shares.push({ off: await turn('off'), on: await turn('on') })
  readers.kill()
  await once(readers, 'exit')
  const off = median(shares.map((share) => share.off))
  const difference = median(shares.map((share) => share.on - share.off))
  console.log(`engine   ${percent(off)} of a core, ${DASHBOARDS} dashboards ${percent(difference)} more`)
  return difference > BUDGET.engine ? [`${DASHBOARDS} dashboards take more than ${percent(BUDGET.engine)}`] : []
}

async function measureTop(api: string, folder: string): Promise<readonly string[]> {
  const line = engineLine(['top', '--api', api])
  await using terminal = await TmuxTerminal.start(line, { columns: 200, rows: 60, cwd: folder })
  await terminal.untilScreen(/nodes \d+/)
  const pid = await terminal.pid()
  await pause(SETTLE_MS)
  const nodes = await coreShare(pid, MEASURE_MS)
  await terminal.keys('G', 'Enter')
  await terminal.untilScreen(/cam@k\d+/)
  await pause(SETTLE_MS)
  const copies = await coreShare(pid, MEASURE_MS)
  const megabytes = (residentBytes(pid) / 1e6).toFixed(0)
  console.log(
    `top      ${PIPELINES * 4} nodes ${percent(nodes)} of a core, ${COPIES} copies listed ${percent(copies)}, ${megabytes} MB`,
  )
  return [nodes, copies].flatMap((share) => (share > BUDGET.top ? [`top takes more than ${percent(BUDGET.top)}`] : []))
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function yaml(): string {
  const pipeline = (index: number): readonly string[] => [
    `  p${index}:`,
    '    inputs: { main: { type: file, path: in.ts, loop: true, pace: pcr } }',
    '    transforms: { check: { type: ts-validate, from: main }, gops: { type: gop, from: check } }',
    `    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /p${index}.ts } }`,
  ]
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" } }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'pipelines:',
    ...Array.from({ length: PIPELINES }, (_, index) => pipeline(index)).flat(),
    '  cam:',
    '    inputs: { pub: { type: bench-pub, streams: "*", maxStreams: 1000 } }',
    '    transforms: { gops: { type: gop, from: pub } }',
    '    outputs: { ts: { type: http-ts, from: gops, listener: web, path: "/cam/${stream}.ts", window: { duration: 2s } } }',
    '',
  ].join('\n')
}

await main()
