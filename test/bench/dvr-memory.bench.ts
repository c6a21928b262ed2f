// Measures what an output `hls` with five hours of `dvr` takes in memory, for many channels in one engine. The engine runs
// for a moment; then the disk is given the older segments (their lines of the index, and empty files), and the engine goes
// on with them as it does after a restart. Compared with the same channels without `dvr`. Asserts nothing.
//
//   npm run bench -- dvr-memory [--channels 100] [--hours 5] [--memory 8MiB]
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { buildTs } from '@millrace/engine/testing'
import { httpRequest } from '../e2e/kit/http-request.js'
import { type EngineProcess, restartEngine, startEngine } from '../e2e/kit/start-engine.js'
import { until } from '../e2e/kit/until.js'
import { residentBytes } from './measure/process-usage.js'

const { values } = parseArgs({
  options: {
    channels: { type: 'string', default: '100' },
    hours: { type: 'string', default: '5' },
    memory: { type: 'string', default: '8MiB' },
  },
})
const channels = Number(values.channels)
const SEGMENT_MS = 2000
const PERIOD_MS = 600_000
const BITS_PER_SECOND = 1_000_000
/** Of the newest segments the engine looks at the length. */
const CHECKED = 64
/** Until the memory for segments is full, and the start is over. */
const SETTLE_MS = 60_000
/** All indexes are read at a start. */
const READY_MS = 600_000
const MIB = 1024 * 1024

function yaml(dvr: string): string {
  const output = `type: hls, from: gops, listener: web, segment: 2s, memory: ${values.memory}${dvr}`
  const pipelines = Array.from(
    { length: channels },
    (_, index) => `  c${index}:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { hls: { ${output}, path: /c${index}/index.m3u8 } }
`,
  )
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
${pipelines.join('')}`
}

async function main(): Promise<void> {
  const video = { gopFrames: 50, bitrate: BITS_PER_SECOND * 0.8 }
  const { bytes } = buildTs({ durationS: 30, muxRate: BITS_PER_SECOND, video })
  const files = { 'main.ts': bytes }
  const without = await measure(await startEngine({ yaml: yaml(''), files }), 'without dvr', 'index.m3u8')
  const withDvr = yaml(`, dvr: ${values.hours}h, store: { path: hls }`)
  const first = await startEngine({ yaml: withDvr, files })
  await first.ready()
  for (let index = 0; index < channels; index++) await listOf(first, index, 'dvr.m3u8', 2)
  first.child.signal('SIGTERM')
  await first.child.exited
  for (const index of indexesBelow(join(first.folder.path, 'state/hls'))) preload(index)
  const next = await restartEngine(first.folder, withDvr)
  const rows = (Number(values.hours) * 3_600_000) / SEGMENT_MS
  const listed = await measure(next, `with ${values.hours} h`, 'dvr.m3u8', rows - 10)
  const each = (listed - without) / channels
  console.log(`dvr: ${(each / MIB).toFixed(2)} MiB a channel, ${(each / rows).toFixed(0)} bytes a segment`)
}

/** All playlists of that name are loaded once, plain and zipped. Returns the memory of the process after that. */
async function measure(given: EngineProcess, what: string, name: string, least = 2): Promise<number> {
  await using engine = given
  const startMs = performance.now()
  await until(async () => (await httpRequest(`${engine.api}/readyz`)).status === 200, 'the engine is ready', READY_MS)
  const startS = (performance.now() - startMs) / 1000
  const { pid } = engine.child
  const atStart = residentBytes(pid)
  for (let index = 0; index < channels; index++) await listOf(engine, index, name, least)
  const listedS = (performance.now() - startMs) / 1000
  await pause(SETTLE_MS)
  const before = residentBytes(pid)
  for (let index = 0; index < channels; index++) await listOf(engine, index, name, least)
  await pause(2000)
  const after = residentBytes(pid)
  const of = (bytes: number): string =>
    `${(bytes / MIB).toFixed(0)} MiB (${(bytes / MIB / channels).toFixed(2)} a channel)`
  console.log(
    `${channels} channels ${what}: ready after ${startS.toFixed(0)} s, all listed after ${listedS.toFixed(0)} s; ${of(atStart)}, then ${of(before)}; after each playlist was loaded: ${of(after)}`,
  )
  return after
}

async function listOf(engine: EngineProcess, index: number, name: string, least: number): Promise<void> {
  const url = new URL(`/c${index}/${name}`, await engine.url('c0/hls'))
  await until(
    async () => {
      const { text } = await httpRequest(url)
      for (const uri of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
        const media = new URL(uri, url)
        await (await fetch(media, { headers: { 'accept-encoding': 'gzip' } })).arrayBuffer()
        const found = await httpRequest(media)
        if (found.text.split('#EXTINF').length - 1 < least) return false
      }
      return text !== ''
    },
    `channel ${index} lists ${least} segments`,
    READY_MS,
  )
}

function indexesBelow(folder: string): readonly string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const byChannel = new Map<string, string>()
  // One of each channel: the oldest.
  for (const path of found.filter((name) => basename(name) === 'segments.index').toSorted()) {
    const channel = dirname(dirname(path))
    if (!byChannel.has(channel)) byChannel.set(channel, join(folder, path))
  }
  return [...byChannel.values()]
}

interface Segment extends Readonly<Record<string, unknown>> {
  readonly discontinuity: number
  readonly sequence: number
  readonly dateMs: number
  readonly life: string
  readonly media: Readonly<Record<string, { readonly bytes: number }>>
}

/** Segments before the first one of the index. */
function preload(index: string): void {
  const lines = readFileSync(index, 'utf8').split('\n')
  const segments = lines.filter((line) => line.includes('"kind":"segment"'))
  const oldest = JSON.parse(segments[0]!.slice(9)) as Segment
  const like = JSON.parse(segments.at(-1)!.slice(9)) as Segment
  const rows = (Number(values.hours) * 3_600_000) / SEGMENT_MS
  const texts = new Map<string, string>()
  const [rendition, media] = Object.entries(like.media)[0]!
  for (let back = rows; back > 0; back--) {
    const [sequence, dateMs] = [oldest.sequence - back, oldest.dateMs - back * SEGMENT_MS]
    const period = join(dirname(dirname(index)), periodOf(dateMs))
    if (!texts.has(period)) mkdirSync(period, { recursive: true })
    const { life } = oldest
    const record = { ...like, ...{ sequence, dateMs, life, name: String(sequence), isNew: false, total: 0 } }
    texts.set(period, (texts.get(period) ?? '') + renderLine({ ...record, discontinuity: oldest.discontinuity - 1 }))
    const file = openSync(join(period, `${rendition}-${life}-${sequence}.ts`), 'w')
    if (back <= CHECKED) ftruncateSync(file, media!.bytes)
    closeSync(file)
  }
  for (const [period, text] of texts) {
    const path = join(period, 'segments.index')
    writeFileSync(path, text + (path === index ? lines.join('\n') : ''))
  }
}

function renderLine(record: Segment): string {
  const json = JSON.stringify(record)
  return `\n${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
}

function periodOf(dateMs: number): string {
  const from = new Date(Math.floor(dateMs / PERIOD_MS) * PERIOD_MS).toISOString()
  return `${from.slice(0, 4)}${from.slice(5, 7)}${from.slice(8, 13)}${from.slice(14, 16)}`
}

await main()
