// Whether a flood on an SRT port is seen by viewers of HTTP: an engine with a channel over HTTP and an SRT listener, and a
// process that sends inductions, forged conclusions or data for nobody from 64 ports. Prints the longest time for which the
// viewer received nothing, the longest answer of the control API, and the engine's processor time and memory; judges
// nothing. --seconds N.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SrtSocket } from '@millrace/srt/node'
import { type EngineProcess, startEngine } from '../e2e/kit/start-engine.js'
import { SilenceWatch } from '../hostile/silence-watch.js'
import { coreShare, residentBytes } from './measure/process-usage.js'

const CARD = fileURLToPath(new URL('../../../pipelines/media/testcard.ts', import.meta.url))
const FLOODER = fileURLToPath(new URL('./srt/flooder.js', import.meta.url))
const SETTLE_MS = 1000
const FLOODS: readonly (readonly [kind: string, perSecond: number] | undefined)[] = [
  undefined,
  ...['inductions', 'forged cookies', 'data for nobody'].flatMap((kind) => [
    [kind, 5_000] as const,
    [kind, 30_000] as const,
  ]),
  undefined,
]

const YAML = [
  'version: 1',
  'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }',
  'listeners: { web: { address: "127.0.0.1:0" }, srt: { protocol: srt, address: "127.0.0.1:0" } }',
  'pipelines:',
  '  channel:',
  `    inputs: { card: { type: file, path: "${CARD}", loop: true } }`,
  '    transforms: { gops: { type: gop, from: card } }',
  '    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /channel.ts } }',
  '  guest:',
  '    inputs: { pub: { type: srt, listener: srt, streams: "*", maxStreams: 10 } }',
  '    outputs: { view: { type: srt, from: pub, listener: srt } }',
  '',
].join('\n')

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } })

async function main(): Promise<void> {
  await using engine = await startEngine({ yaml: YAML })
  await engine.ready()
  const port = await srtPort(engine)
  using watch = await SilenceWatch.start(await engine.url('channel/ts'), `${engine.api}/healthz`)
  console.log(
    '| flood | viewer silent, ms | API answer, ms | a publisher connects in, ms | CPU, % of a core | memory, MiB |',
  )
  console.log('| --- | --: | --: | --: | --: | --: |')
  for (const flood of FLOODS) await measure({ engine, port, watch, flood })
  await engine.stop()
}

interface Run {
  readonly engine: EngineProcess
  readonly port: number
  readonly watch: SilenceWatch
  readonly flood: readonly [kind: string, perSecond: number] | undefined
}

async function measure({ engine, port, watch, flood }: Run): Promise<void> {
  const [kind = '', perSecond = 0] = flood ?? []
  const child =
    flood &&
    spawn(process.execPath, [FLOODER, String(port), kind, String(perSecond)], { stdio: ['pipe', 'ignore', 'inherit'] })
  await pause(SETTLE_MS)
  watch.take()
  const share = await coreShare(engine.child.pid ?? 0, Number(values.seconds) * 1000)
  const { silentMs, answerMs } = watch.take()
  const connectMs = await connectTime(port)
  const bytes = residentBytes(engine.child.pid ?? 0)
  if (child !== undefined) {
    child.kill()
    await once(child, 'close')
  }
  const name = flood === undefined ? 'none' : `${kind}, ${perSecond} a second`
  const figures = [
    silentMs.toFixed(0),
    answerMs.toFixed(0),
    connectMs,
    (share * 100).toFixed(0),
    (bytes / 2 ** 20).toFixed(0),
  ]
  console.log(`| ${name} | ${figures.join(' | ')} |`)
}

/** How long a publisher takes to connect; the first one is taken, later ones are refused while it is there. */
async function connectTime(port: number): Promise<string> {
  await using socket = await SrtSocket.open({ address: '127.0.0.1' })
  const startMs = performance.now()
  try {
    const connection = await socket.connect({ host: '127.0.0.1', port, streamId: 'publish:guest', timeoutMs: 5000 })
    const tookMs = performance.now() - startMs
    await connection.close()
    return tookMs.toFixed(0)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function srtPort(engine: EngineProcess): Promise<number> {
  const { listeners } = await engine.status()
  return Number(
    listeners
      .find(({ name }) => name === 'srt')
      ?.address.split(':')
      .at(-1),
  )
}

await main()
