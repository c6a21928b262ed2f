// What the engine adds to an encoder: processor time of its feeding, reading and framing, as a share of what it and ffmpeg
// take together. A channel of 640x360 at 25 pictures a second, encoded to four renditions, beside the channel itself; what
// the engine takes without the encoder does not count. Prints figures, and fails above the budget. --seconds N.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { REPOSITORY_ROOT } from '../e2e/kit/repository-root.js'
import { startEngine } from '../e2e/kit/start-engine.js'
import { until } from '../e2e/kit/until.js'
import { cpuSeconds } from './measure/process-usage.js'

const BUDGET = 0.05
const WARM_UP_MS = 8000
const ENCODER = '    transforms: { enc: { type: transcode, from: main, renditions: [240p, 360p, 480p, 720p, native] } }'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } })
const seconds = Number(values.seconds)

const without = await measure('')
const whole = await measure(ENCODER)
const added = Math.max(0, whole.engine - without.engine)
const share = added / (added + whole.ffmpeg)
console.log(
  `ffmpeg ${percent(whole.ffmpeg)} of a core; engine ${percent(whole.engine)}, ${percent(without.engine)} without`,
)
console.log(`added by the engine: ${percent(share)} of both   (budget ${percent(BUDGET)})`)
if (share > BUDGET) process.exitCode = 1

/** Shares of a core. */
async function measure(transforms: string): Promise<{ readonly engine: number; readonly ffmpeg: number }> {
  const testcard = await readFile(join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts'))
  await using engine = await startEngine({ yaml: yaml(transforms), files: { 'main.ts': testcard } })
  await engine.ready()
  const pid = transforms === '' ? undefined : await until(() => encoderOf(engine), 'the encoder runs')
  await pause(WARM_UP_MS)
  const usage = (): readonly number[] =>
    [engine.child.pid, pid].map((each) => (each === undefined ? 0 : cpuSeconds(each)))
  const [before, startMs] = [usage(), performance.now()]
  await pause(seconds * 1000)
  const [after, tookS] = [usage(), (performance.now() - startMs) / 1000]
  const [own = 0, ffmpeg = 0] = after.map((total, index) => (total - before[index]!) / tookS)
  await engine.stop()
  return { engine: own, ffmpeg }
}

async function encoderOf(engine: Awaited<ReturnType<typeof startEngine>>): Promise<number | undefined> {
  const { pid } = (await engine.node('one/enc')).details as { readonly pid: number | null }
  return pid ?? undefined
}

function yaml(transforms: string): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
${transforms}
    outputs: { out: { type: http-ts, from: main, listener: web, path: /main.ts } }
`
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}
