// Measures the output `hls` against nginx with sendfile that serves the same files, in turn within one run: CPU of the
// server for viewers who each load a playlist every two seconds, and a segment of 2 s at 1 Mb/s. A server of Node that
// only sends such bodies shows how much of it is Node's HTTP server. Fails if the median of
// the ratios is above the budget.
//
//   npm run bench -- hls [--clients 500] [--rounds 5] [--seconds 10] [--budget 1.3]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { httpRequest } from '../e2e/kit/http-request.js'
import { type EngineProcess, startEngine } from '../e2e/kit/start-engine.js'
import { until } from '../e2e/kit/until.js'
import { HlsViewer } from './hls/hls-viewer.js'
import { publish, startBare, startNginx } from './hls/static-server.js'
import { findTools, LOAD_CORE, SERVER_CORE, type Tools } from './measure/bench-machine.js'
import { median } from './measure/median.js'
import { cpuSeconds } from './measure/process-usage.js'

const BITS_PER_SECOND = 1_000_000
const CLIP_SECONDS = 30
const EVERY_MS = 2000
/** About that of 60 s. */
const PLAYLIST_BYTES = 3500

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    budget: { type: 'string', default: '1.3' },
  },
})
const clients = Number(values.clients)

interface Server {
  readonly pid: number
  readonly url: URL
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  try {
    const tools = findTools(folder)
    tools.pin(LOAD_CORE, process.pid)
    await using nginx = await startNginx(folder, tools)
    if (nginx === undefined) throw new Error('nginx is needed, for example from the package nginx-light')
    await using engine = await startProduct(tools)
    const url = new URL(await mediaUrl(engine))
    const copying = copyFiles(url, folder)
    try {
      await using bare = await startBare(tools, BITS_PER_SECOND / 4, PLAYLIST_BYTES)
      await compare({ product: { pid: engine.child.pid, url }, nginx, bare })
    } finally {
      clearInterval(copying)
    }
    await engine.stop()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function startProduct(tools: Tools): Promise<EngineProcess> {
  const video = { gopFrames: 50, bitrate: BITS_PER_SECOND * 0.8 }
  const { bytes } = buildTs({ durationS: CLIP_SECONDS, muxRate: BITS_PER_SECOND, video })
  const yaml = `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, maxClients: 20000 }
listeners: { web: { address: "127.0.0.1:0", maxConnections: 20000 } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { hls: { type: hls, from: gops, listener: web, path: /one/index.m3u8 } }
`
  const engine = await startEngine({ yaml, files: { 'main.ts': bytes } })
  tools.pin(SERVER_CORE, engine.child.pid)
  return engine
}

async function mediaUrl(engine: EngineProcess): Promise<string> {
  const url = await engine.url('one/hls')
  const text = await until(async () => {
    const { status, text: body } = await httpRequest(url)
    return status === 200 && body
  }, 'there is a playlist')
  // Playlists of I-frames are named in tags.
  const [uri = ''] = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new URL(uri, url).href
}

/** nginx serves what the engine serves, a moment later. */
function copyFiles(url: URL, folder: string): NodeJS.Timeout {
  const known = new Set<string>()
  const copy = async (): Promise<void> => {
    const { text } = await httpRequest(url.href)
    for (const name of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
      if (known.has(name)) continue
      const response = await fetch(new URL(name, url))
      if (!response.ok) continue
      await publish(folder, name, new Uint8Array(await response.arrayBuffer()))
      known.add(name)
    }
    await publish(folder, 'media.m3u8', Buffer.from(text))
  }
  const run = (): void => void copy().catch((error: unknown) => console.error(error))
  run()
  return setInterval(run, EVERY_MS / 4)
}

async function compare({ product, nginx, bare }: Record<'product' | 'nginx' | 'bare', Server>): Promise<void> {
  const ratios: number[] = []
  await pause(EVERY_MS * 2)
  for (let round = 0; round <= Number(values.rounds); round++) {
    const ours = await measure(product)
    const theirs = await measure(nginx)
    const least = await measure(bare)
    // In the first round code is being compiled.
    if (round === 0) continue
    ratios.push(ours / theirs)
    const each = [ours, theirs, least].map((seconds) => `${(seconds * 1e6).toFixed(0)} us/s`)
    console.log(`round ${round}: ${each.join(', ')} for each viewer, ratio ${(ours / theirs).toFixed(2)}`)
  }
  const ratio = median(ratios)
  console.log(`${clients} viewers: ${ratio.toFixed(2)} times the CPU of nginx`)
  if (ratio > Number(values.budget)) process.exitCode = 1
}

/** CPU-seconds of the server for each second of a viewer. */
async function measure({ pid, url }: Server): Promise<number> {
  const viewers = Array.from({ length: clients }, (_, index) => {
    const address = `127.1.${index >> 7}.${1 + (index % 128)}`
    return new HlsViewer(url, { agent: `viewer-${index}`, address, delayMs: (index / clients) * EVERY_MS })
  })
  try {
    await pause(EVERY_MS * 2)
    const [before, startMs] = [cpuSeconds(pid), performance.now()]
    const segments = sum(viewers, (each) => each.segments)
    await pause(Number(values.seconds) * 1000)
    const seconds = (performance.now() - startMs) / 1000
    const used = cpuSeconds(pid) - before
    const loaded = sum(viewers, (each) => each.segments) - segments
    const share = loaded / ((clients * seconds * 1000) / EVERY_MS)
    const failures = sum(viewers, (each) => each.failures)
    if (share < 0.95 || failures > 0)
      console.error(`${(share * 100).toFixed(0)} % of the segments, ${failures} failures`)
    return used / seconds / clients
  } finally {
    for (const viewer of viewers) viewer[Symbol.dispose]()
  }
}

function sum(viewers: readonly HlsViewer[], of: (viewer: HlsViewer) => number): number {
  return viewers.reduce((total, viewer) => total + of(viewer), 0)
}

await main()
