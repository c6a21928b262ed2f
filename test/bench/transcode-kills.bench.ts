// An encoder that is killed again and again (SIGKILL), under viewers of each rendition: how long each is without bytes. The
// source has a key frame each second, and all renditions go on at the next one. All
// viewers stay, the streams are clean but for marked discontinuities. --kills N. Prints figures, and fails if a viewer is
// lost, or a rendition is back after more than two seconds.
import { execFile } from 'node:child_process'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { assertClean } from '../e2e/kit/assert-clean.js'
import { startEngine } from '../e2e/kit/start-engine.js'
import { until } from '../e2e/kit/until.js'
import { HttpReader } from '../oracle/http-reader.js'

const BUDGET_MS = 2000
const BETWEEN_MS = 3000
const LOOK_MS = 10
const PORTS = ['low', 'middle', 'native'] as const
const YAML = `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms:
      enc:
        type: transcode
        from: main
        renditions: { low: { height: 90, preset: ultrafast }, middle: { height: 180, preset: ultrafast }, native: {} }
    outputs:
${PORTS.map((port) => `      ${port}: { type: http-ts, from: enc.${port}, listener: web, path: /${port}.ts }`).join('\n')}
`

const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' } } })

await using engine = await startEngine({ yaml: YAML, files: { 'main.ts': await makeClip() } })
await engine.ready()
const viewers = await Promise.all(PORTS.map(async (port) => new HttpReader(await engine.url(`one/${port}`))))
await Promise.all(viewers.map((viewer) => viewer.until(({ bodyBytes }) => bodyBytes > 50_000)))

const gapsMs: number[] = []
for (let kill = 0; kill < Number(values.kills); kill++) {
  await pause(BETWEEN_MS)
  const pid = await encoder()
  process.kill(pid, 'SIGKILL')
  const startMs = performance.now()
  await until(async () => (await encoder()) !== pid, 'another encoder runs')
  const back = viewers.map(async (viewer) => {
    // What was on its way when it was killed has come by now.
    const { bodyBytes: before } = viewer.report()
    while (viewer.report().bodyBytes <= before) await pause(LOOK_MS)
    return performance.now() - startMs
  })
  gapsMs.push(Math.max(...(await Promise.all(back))))
}
const sorted = gapsMs.toSorted((a, b) => a - b)
const ms = (value = 0): string => `${Math.round(value)} ms`
console.log(
  `${sorted.length} kills: back after ${ms(sorted[0])} to ${ms(sorted.at(-1))}, median ${ms(sorted[sorted.length >> 1])}   (budget ${BUDGET_MS} ms)`,
)
for (const [index, viewer] of viewers.entries()) {
  const { ended, ts } = viewer.report()
  if (ended !== 'open') throw new Error(`the viewer of ${PORTS[index]} was lost: ${ended}`)
  const { clocks } = assertClean(PORTS[index] ?? '', ts, { announced: true })
  const marked = Math.max(...Object.values(clocks).map(({ announced }) => announced))
  console.log(`${PORTS[index]}: the viewer stayed, ${marked} marked discontinuities of the clock`)
}
for (const viewer of viewers) await viewer[Symbol.asyncDispose]()
await engine.stop()
if ((sorted.at(-1) ?? 0) > BUDGET_MS) process.exitCode = 1

async function encoder(): Promise<number> {
  const { pid } = (await engine.node('one/enc')).details as { readonly pid: number | null }
  return pid ?? 0
}

async function makeClip(): Promise<Buffer> {
  const sources = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-f', 'lavfi', '-i', 'sine=sample_rate=48000']
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-sc_threshold', '0']
  const args = ['-v', 'error', '-nostdin', ...sources, '-t', '20', ...video, '-c:a', 'aac', '-f', 'mpegts', '-']
  const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer', maxBuffer: 64 * 2 ** 20 })
  return stdout
}
