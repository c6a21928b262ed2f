// What publishers over RTMP cost the engine, over sockets and at the speed of their streams: processor time and memory,
// whether each stream is whole, and, in the same run, what ffmpeg takes for the same: FLV over RTMP to a transport stream,
// without transcoding. Prints figures; fails if anything was lost. --publishers N, --mbit N, --seconds N, --ffmpegs N.
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { MediaMessage } from '@millrace/rtmp'
import { RtmpClient } from '@millrace/rtmp/node'
import { HttpReader } from '../oracle/http-reader.js'
import { Child } from '../e2e/kit/child.js'
import { freePort } from '../e2e/kit/free-port.js'
import { scrape } from '../e2e/kit/metrics-page.js'
import { startEngine } from '../e2e/kit/start-engine.js'
import { until } from '../e2e/kit/until.js'
import { listMessages } from './load/flv-messages.js'
import { cpuSeconds, residentBytes } from './measure/process-usage.js'

const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners:
  rtmp: { protocol: rtmp, address: "127.0.0.1:0", maxPerAddress: 1000 }
  web: { address: "127.0.0.1:0" }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
  live:
    inputs: { pub: { type: rtmp, listener: rtmp, app: live, streams: "*", maxStreams: 1000 } }
    outputs: { ts: { type: http-ts, from: pub, listener: web, path: "/\${stream}.ts" } }
`
const PROCESS_SETTLE_MS = 2000
/** Streams that are read and checked, packet by packet. */
const CHECKED = 3

const { values } = parseArgs({
  options: {
    publishers: { type: 'string', default: '100' },
    mbit: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '30' },
    ffmpegs: { type: 'string', default: '5' },
  },
})
const { publishers, mbit, seconds, ffmpegs } = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, Number(value)]),
) as Record<keyof typeof values, number>

const messages = listMessages(seconds, mbit * 950_000)
const frames = messages.filter((message) => message.class !== 'headers').length
const bits = messages.reduce((sum, { body }) => sum + body.length, 0) * 8
console.log(`streams of ${(bits / seconds / 1e6).toFixed(2)} Mb/s, ${seconds} s`)
const engine = await measureEngine()
const other = await measureFfmpeg()
console.log(`  CPU per Mb/s, against ffmpeg: ${(engine / other).toFixed(2)}`)

/** Resolves to CPU seconds per Gbit. */
async function measureEngine(): Promise<number> {
  await using process = await startEngine({ yaml: YAML })
  await process.ready()
  const listener = (await process.status()).listeners.find(({ name }) => name === 'rtmp')
  const { pid } = process.child
  await pause(PROCESS_SETTLE_MS)
  const [idleBytes, before, startMs] = [residentBytes(pid), cpuSeconds(pid), performance.now()]
  const calls = Array.from({ length: publishers }, (_, at) =>
    publish(`rtmp://${listener?.address}/live/s${at}`, at * (1000 / publishers)),
  )
  const readers: HttpReader[] = []
  for (let at = 0; at < Math.min(CHECKED, publishers); at++) {
    readers.push(new HttpReader(await until(() => process.url(`live@s${at}/ts`), `the copy of s${at}`)))
  }
  let most = 0
  const memory = setInterval(() => (most = Math.max(most, residentBytes(pid))), 500)
  await Promise.all(calls)
  clearInterval(memory)
  const used = cpuSeconds(pid) - before
  const elapsed = (performance.now() - startMs) / 1000
  const count = publishers * frames
  const metric = async (name: string): Promise<number> => (await scrape(process.api)).value(name, { node: 'pub' }) ?? 0
  await until(async () => (await metric('millrace_rtmp_streams')) === 0, 'all publishers have left')
  const [got, dropped] = [
    await metric('millrace_rtmp_frames_total'),
    await metric('millrace_rtmp_dropped_frames_total'),
  ]
  const isWhole = ({ ts }: ReturnType<HttpReader['report']>): boolean =>
    ts !== undefined && ts.packets > 0 && ts.continuityErrors + ts.syncErrors === 0
  const faults = readers.filter((reader) => !isWhole(reader.report()))
  for (const reader of readers) await reader[Symbol.asyncDispose]()
  await process.stop()
  const gbit = (publishers * bits) / 1e9
  console.log(`engine, ${publishers} publishers: ${((used / elapsed) * 100).toFixed(1)} % of a core, ${mib(most)} MiB`)
  console.log(`  (${mib(idleBytes)} MiB without them), ${(used / gbit).toFixed(3)} CPU-s per Gbit`)
  console.log(`  ${got} of ${count} frames, ${dropped} dropped, ${faults.length} of ${readers.length} read with errors`)
  if (got !== count || dropped > 0 || faults.length > 0) globalThis.process.exitCode = 1
  return used / gbit
}

async function measureFfmpeg(): Promise<number> {
  const seen = await Promise.all(
    Array.from({ length: ffmpegs }, async (_, at) => {
      const url = `rtmp://127.0.0.1:${await freePort()}/live/cam`
      const args = `-loglevel error -nostdin -listen 1 -i ${url} -c copy -f mpegts -y /dev/null`
      await using child = new Child('ffmpeg', args.split(' '), { cwd: '/' })
      let used = 0
      const watch = setInterval(() => {
        if (child.exit === undefined) used = Math.max(used, cpuSeconds(child.pid))
      }, 200)
      await publish(url, at * 100)
      clearInterval(watch)
      return used
    }),
  )
  const perGbit = seen.reduce((sum, used) => sum + used, 0) / ((ffmpegs * bits) / 1e9)
  console.log(`ffmpeg, ${ffmpegs} processes: ${perGbit.toFixed(3)} CPU-s per Gbit`)
  return perGbit
}

/** At the speed of the stream. */
async function publish(url: string, delayMs: number): Promise<void> {
  await pause(delayMs)
  const client = await until(() => RtmpClient.publish(url), `${url} takes it`)
  const startMs = performance.now()
  let lost = 0
  const send = (message: MediaMessage): void => void (client.send(message) || lost++)
  for (const message of messages) {
    const waitMs = startMs + message.timestampMs - performance.now()
    if (waitMs > 0) await pause(waitMs)
    send(message)
  }
  await client.close()
  if (lost > 0) throw new Error(`${url}: ${lost} messages were not sent`)
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
