// How long `check` takes for a file of 200 nodes: without mistakes, and with one in every node. The definitions are
// loaded once, as in a running engine; the first line is a whole `check` in a new process. Prints medians, and the
// longest time in any round during which nothing else could run, as an engine reloading its file would experience it;
// judges nothing.
import { discoverPlugins, loadConfig, renderText } from '@millrace/engine'
import type { LoadOptions } from '@millrace/engine'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const PIPELINES = 50
const WARM_UP = 5
const ROUNDS = 50

async function main(): Promise<void> {
  const startedMs = performance.now()
  const discovered = await discoverPlugins({ yamlFiles: [], plugins: [], starterPackage: REPOSITORY })
  const discoveredMs = performance.now() - startedMs
  const plugins = (): Promise<typeof discovered> => Promise.resolve(discovered)
  const good = { env: { ANNA: 'hunter2' }, plugins, contents: new Map([['a.yaml', fileOf(false)]]) }
  const first = await timed(good)
  console.log(`finding plugins     ${discoveredMs.toFixed(1).padStart(7)} ms`)
  console.log(`first check         ${rowOf(first)}`)
  for (const [name, options] of [
    ['200 nodes, good', good],
    ['200 nodes, all bad', { ...good, contents: new Map([['a.yaml', fileOf(true)]]) }],
  ] as const) {
    const runs: Run[] = []
    for (let round = 0; round < WARM_UP + ROUNDS; round++) runs.push(await timed(options))
    const warm = runs.slice(WARM_UP)
    const stretches = warm.map(({ stretchMs }) => stretchMs).sort((a, b) => a - b)
    console.log(`${name.padEnd(20)}${rowOf({ ...median(warm), stretchMs: stretches.at(-1) ?? 0 })}`)
    console.log(`  median of stretches ${stretches[Math.floor(stretches.length / 2)]?.toFixed(1).padStart(5)} ms`)
  }
}

interface Run {
  readonly tookMs: number
  /** The longest time between two runs of a timer that is always due. */
  readonly stretchMs: number
  readonly diagnostics: number
}

async function timed(options: LoadOptions): Promise<Run> {
  // One turn of the event loop, so the probe does not measure earlier work.
  await setImmediate()
  let lastMs = performance.now()
  let stretchMs = 0
  const look = (): void => {
    const nowMs = performance.now()
    stretchMs = Math.max(stretchMs, nowMs - lastMs)
    lastMs = nowMs
  }
  const probe = setInterval(look, 1)
  const startedMs = performance.now()
  const { diagnostics } = await loadConfig(['a.yaml'], options)
  look()
  clearInterval(probe)
  const tookMs = performance.now() - startedMs
  renderText(diagnostics)
  return { tookMs, stretchMs, diagnostics: diagnostics.length }
}

function rowOf({ tookMs, stretchMs, diagnostics }: Run): string {
  const took = tookMs.toFixed(1).padStart(7)
  return `${took} ms   ${stretchMs.toFixed(1).padStart(5)} ms at a stretch at most   ${diagnostics} diagnostics`
}

function fileOf(isBad: boolean): string {
  const pipelines = Array.from({ length: PIPELINES }, (_, index) => pipelineOf(index, isBad))
  return [
    'version: 1',
    "listeners: { web: { address: '127.0.0.1:8000' } }",
    'secrets: { anna: { env: ANNA } }',
    'defaults: { inputs: { file: { loop: true } } }',
    'pipelines:',
    ...pipelines.flat(),
    '',
  ].join('\n')
}

function pipelineOf(index: number, isBad: boolean): readonly string[] {
  return [
    `  p${index}:`,
    '    inputs:',
    `      main: { type: file, path: 'a-\${secret:anna}-${index}.ts', ${isBad ? 'pase' : 'pace'}: pcr }`,
    '    transforms:',
    `      check: { type: ts-validate, from: ${isBad ? 'mian' : 'main'} }`,
    `      gops: { type: ${isBad ? 'gpo' : 'gop'}, from: check }`,
    '    outputs:',
    `      ts: { type: http-ts, listener: ${isBad ? 'wbe' : 'web'}, from: gops, path: /${index}.ts }`,
  ]
}

function median<T extends { readonly tookMs: number }>(runs: readonly T[]): T {
  const sorted = [...runs].sort((a, b) => a.tookMs - b.tookMs)
  return sorted[Math.floor(sorted.length / 2)]!
}

await main()
