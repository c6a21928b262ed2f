// How long it takes to plan a reload of 200 nodes: with an unchanged file, with an option of every node changed, with
// every node renamed, and with every type changed. Prints medians and maxima; fails if a median exceeds the budget.
import { discoverPlugins, loadConfig, planReload, renderText } from '@millrace/engine'
import type { Graph, ReloadPlan } from '@millrace/engine'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const PIPELINES = 50
const WARM_UP = 5
const ROUNDS = 50
const BUDGET_MS = 50

type Edit = 'none' | 'live' | 'swap' | 'secret'

async function main(): Promise<void> {
  const discovered = await discoverPlugins({ yamlFiles: [], plugins: [], starterPackage: REPOSITORY })
  const load = async (edit: Edit): Promise<Graph> => {
    const { graph, diagnostics } = await loadConfig(['a.yaml'], {
      env: { ANNA: edit === 'secret' ? 'correcthorse' : 'hunter2' },
      plugins: () => Promise.resolve(discovered),
      contents: new Map([['a.yaml', fileOf(edit)]]),
    })
    if (graph === undefined) throw new Error(renderText(diagnostics))
    return graph
  }
  const running = await load('none')
  const cases: readonly (readonly [name: string, next: Graph])[] = [
    ['no change', await load('none')],
    ['a live option of each', await load('live')],
    ['a swap of each', await load('swap')],
    ['a secret of each', await load('secret')],
    ['all renamed', renamed(running)],
  ]
  let isOver = false
  for (const [name, next] of cases) {
    const { medianMs, longestMs, plan } = measure(running, next)
    isOver ||= medianMs > BUDGET_MS
    const figures = `${medianMs.toFixed(2).padStart(7)} ms   longest ${longestMs.toFixed(2).padStart(7)} ms`
    console.log(`200 nodes, ${name.padEnd(24)}${figures}   ${countsOf(plan)}`)
  }
  if (isOver) {
    console.error(`a plan took more than ${BUDGET_MS} ms`)
    process.exitCode = 1
  }
}

function measure(
  running: Graph,
  next: Graph,
): { readonly medianMs: number; readonly longestMs: number; readonly plan: ReloadPlan } {
  const times: number[] = []
  let plan = planReload(running, next)
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const startedMs = performance.now()
    plan = planReload(running, next)
    times.push(performance.now() - startedMs)
  }
  const sorted = times.slice(WARM_UP).sort((a, b) => a - b)
  return { medianMs: sorted[Math.floor(sorted.length / 2)]!, longestMs: sorted.at(-1)!, plan }
}

function countsOf({ nodes }: ReloadPlan): string {
  const counts = new Map<string, number>()
  for (const { verb } of nodes) counts.set(verb, (counts.get(verb) ?? 0) + 1)
  return [...counts].map(([verb, count]) => `${count} ${verb}`).join(', ')
}

/** Renames every node, as `was:` does. */
function renamed(graph: Graph): Graph {
  const rename = (id: string): string => `${id}-new`
  const pipelines = graph.pipelines.map((pipeline) => ({
    ...pipeline,
    nodes: pipeline.nodes.map((node) => ({
      ...node,
      id: rename(node.id),
      was: node.id,
      from: node.from.map((ref) => ({ ...ref, node: rename(ref.node) })),
    })),
  }))
  return { ...graph, pipelines }
}

function fileOf(edit: Edit): string {
  const pipelines = Array.from({ length: PIPELINES }, (_, index) => pipelineOf(index, edit))
  return [
    'version: 1',
    "listeners: { web: { address: '127.0.0.1:8000' } }",
    'secrets: { anna: { env: ANNA } }',
    'pipelines:',
    ...pipelines.flat(),
    '',
  ].join('\n')
}

function pipelineOf(index: number, edit: Edit): readonly string[] {
  const isLive = edit === 'live'
  const isSwap = edit === 'swap'
  const urls = [`http://a:\${secret:anna}@up.example/${index}.ts`, `http://b.example/${index}${isSwap ? '-b' : ''}.ts`]
  return [
    `  p${index}:`,
    '    inputs:',
    `      main: { type: http, urls: ${JSON.stringify(urls)}, readTimeout: ${isLive ? '9s' : '5s'} }`,
    '    transforms:',
    `      check: { type: ts-validate, from: main, description: '${isLive ? 'new' : 'old'}'${isSwap ? ', program: 2' : ''} }`,
    `      gops: { type: gop, from: ${isSwap ? 'main' : 'check'}, maxDuration: ${isLive ? '9s' : '10s'} }`,
    '    outputs:',
    `      ts: { type: http-ts, listener: web, from: gops, path: /${index}.ts, preamble: ${isSwap ? 'b.ts' : 'a.ts'}, clients: { max: ${isLive ? 9 : 0} } }`,
  ]
}

await main()
