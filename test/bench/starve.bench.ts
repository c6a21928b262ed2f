// Whether a hostile feed starves other channels: one input receives each shape of test/hostile, at 20 and at 100 Mb/s,
// and at 20 with 50 other channels. Prints the longest time for which a viewer of another pipeline received nothing, the
// longest answer of the control API (how long the event loop was blocked), and the memory; fails if the viewer was silent
// for longer than promised, or memory exceeds its bound.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { type EngineProcess, startEngine } from '../e2e/kit/start-engine.js'
import { HostileFeed } from '../hostile/hostile-feed.js'
import { HOSTILE_SHAPES } from '../hostile/hostile-shapes.js'
import { SilenceWatch } from '../hostile/silence-watch.js'
import { residentBytes } from './measure/process-usage.js'

const MOST_SILENT_MS = 500
/** The windows of both channels with viewers, what waits of the inputs, and the process itself. */
const MOST_BYTES = (2 * 64 + 3 + 250) * 2 ** 20
/** Of each other channel: its window, 10 s of 4 Mb/s, in whole blocks. */
const OTHER_BYTES = 9 * 2 ** 20
const CARD = fileURLToPath(new URL('../../../pipelines/media/testcard.ts', import.meta.url))
const SETTLE_MS = 1000

interface Load {
  readonly mbitPerS: number
  readonly others: number
}

const LOADS: readonly Load[] = [
  { mbitPerS: 20, others: 0 },
  { mbitPerS: 100, others: 0 },
  { mbitPerS: 20, others: 50 },
]

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' }, shape: { type: 'string' } } })
const shapes = [undefined, ...HOSTILE_SHAPES.map(({ name }) => name)].filter(
  (name) => values.shape === undefined || name?.includes(values.shape) === true,
)

async function main(): Promise<void> {
  for (const load of LOADS) {
    console.log(`\n${load.mbitPerS} Mb/s${load.others === 0 ? '' : `, and ${load.others} other channels`}`)
    console.log('| shape | viewer silent, ms | API answer, ms | memory, MiB |\n| --- | --: | --: | --: |')
    await using feed = await HostileFeed.start()
    await using engine = await startEngine({ yaml: yamlOf(feed.url, load.others) })
    feed.send({ shape: undefined, mbitPerS: load.mbitPerS })
    await engine.ready()
    const [victim, hostile] = [await engine.url('victim/ts'), await engine.url('hostile/ts')]
    using watch = await SilenceWatch.start(victim, `${engine.api}/healthz`)
    using _viewer = await SilenceWatch.start(hostile, `${engine.api}/healthz`)
    for (const shape of shapes) await measure({ shape, load, feed, watch, engine })
    await engine.stop()
  }
}

interface Run {
  readonly shape: string | undefined
  readonly load: Load
  readonly feed: HostileFeed
  readonly watch: SilenceWatch
  readonly engine: EngineProcess
}

async function measure({ shape, load, feed, watch, engine }: Run): Promise<void> {
  feed.send({ shape, mbitPerS: load.mbitPerS })
  await pause(SETTLE_MS)
  watch.take()
  await pause(Number(values.seconds) * 1000)
  const { silentMs, answerMs, isClosed } = watch.take()
  const bytes = residentBytes(engine.child.pid)
  const isGood = silentMs <= MOST_SILENT_MS && bytes <= MOST_BYTES + load.others * OTHER_BYTES && !isClosed
  if (!isGood) process.exitCode = 1
  const figures = [silentMs.toFixed(0), answerMs.toFixed(0), (bytes / 2 ** 20).toFixed(0)]
  console.log(`| ${shape ?? 'a well-formed stream'} | ${figures.join(' | ')} |${isGood ? '' : ' TOO MUCH'}`)
}

function yamlOf(url: string, others: number): string {
  const channel = (name: string, input: string): string[] => [
    `  ${name}:`,
    `    inputs: { card: { ${input} } }`,
    '    transforms: { check: { type: ts-validate, from: card }, gops: { type: gop, from: check } }',
    `    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /${name}.ts } }`,
  ]
  const card = `type: file, path: "${CARD}", loop: true`
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'pipelines:',
    ...channel('victim', card),
    ...channel('hostile', `type: http, url: "${url}"`),
    ...Array.from({ length: others }, (_, at) => channel(`other${at}`, card)).flat(),
    '',
  ].join('\n')
}

await main()
