// Transform `transcode` in an engine, with a real ffmpeg: viewers of its renditions while it is killed and replaced.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import process from 'node:process'
import { isDeepStrictEqual, promisify } from 'node:util'
import { test } from 'node:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { planReload } from '@millrace/engine'
import { assertClean } from '../e2e/kit/assert-clean.js'
import { httpRequest } from '../e2e/kit/http-request.js'
import type { Recording } from '../e2e/kit/recording.js'
import { REPOSITORY_ROOT } from '../e2e/kit/repository-root.js'
import { until } from '../e2e/kit/until.js'
import { childProcesses } from './child-processes.js'
import { countDescriptors, settledResources } from './process-resources.js'
import { TestEngine } from './test-engine.js'

function yaml(video: string, preset = 'ultrafast'): string {
  const small = `small: { height: 90, video: ${video}, preset: ${preset}, tune: zerolatency }`
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    # Nobody reads the last one, and it is encoded all the same.
    transforms: { enc: { type: transcode, from: main, renditions: { ${small}, native: {}, unread: { height: 32, preset: ultrafast } } } }
    outputs:
      small: { type: http-ts, from: enc.small, listener: web, path: /small.ts }
      native: { type: http-ts, from: enc.native, listener: web, path: /native.ts }
`
}

const pidOf = (live: TestEngine): number => Number((live.node('one/enc').details as { pid?: number })?.pid ?? 0)

/** Processes of ffmpeg that this one has started and not left behind; zombies too. */
const encoders = (): readonly number[] =>
  childProcesses().flatMap(({ pid, name, isZombie }) => (name === 'ffmpeg' || isZombie ? [pid] : []))

async function receiveMore(...viewers: readonly Recording[]): Promise<void> {
  for (const { reader } of viewers) {
    const wanted = reader.report().bodyBytes + 15_000
    await reader.until(({ bodyBytes }) => bodyBytes >= wanted)
  }
}

test('viewers stay while the encoder is killed, and while a reload replaces it; clocks never go back', async () => {
  await using live = await TestEngine.create()
  await live.folder.write('main.ts', await readFile(join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')))
  await live.start(yaml('100kb/s'))
  const viewers = [live.viewer('/small.ts'), live.viewer('/native.ts')]
  await receiveMore(...viewers)
  assert.ok(encoders().includes(pidOf(live)), 'ffmpeg is a child of the engine itself')
  const { descriptors } = await settledResources()
  for (let kills = 1; kills <= 3; kills++) {
    const pid = pidOf(live)
    process.kill(pid, 'SIGKILL')
    await until(() => pidOf(live) > 0 && pidOf(live) !== pid, 'another one runs')
    await receiveMore(...viewers)
    await until(
      () => isDeepStrictEqual(encoders(), [pidOf(live)]) && countDescriptors() <= descriptors,
      () =>
        `one runs, and nothing is left of the others: ${JSON.stringify([childProcesses(), countDescriptors(), descriptors])}`,
    )
  }
  assert.equal(live.node('one/enc').state, 'ready')
  const before = pidOf(live)
  const next = await live.load(yaml('120kb/s'))
  const plan = planReload(live.engine.graph, next)
  assert.equal(plan.nodes.find(({ id }) => id === 'one/enc')?.verb, 'swap')
  const { viewersLost } = await live.engine.apply(plan, next)
  assert.equal(viewersLost, 0)
  await receiveMore(...viewers)
  await until(() => pidOf(live) !== before, 'the new encoder is the one that is shown')
  await until(() => !isAlive(before), 'the old encoder is gone')
  for (const [index, viewer] of viewers.entries()) {
    const { ended, ts } = viewer.report()
    assert.equal(ended, 'open')
    assertClean(`viewer ${index}`, ts, { announced: true })
  }
})

test('a reload with a preset that ffmpeg does not know keeps the encoder that runs, and its viewer', async () => {
  await using live = await TestEngine.create()
  await live.folder.write('main.ts', await readFile(join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')))
  const engine = await live.start(yaml('100kb/s'))
  const rolledBack: { readonly why: string }[] = []
  engine.onRolledBack = (report) => void rolledBack.push(report)
  const viewer = live.viewer('/small.ts')
  await receiveMore(viewer)
  const next = await live.load(yaml('100kb/s', 'fastish'))
  await engine.apply(planReload(engine.graph, next), next)
  await until(() => rolledBack.length > 0, 'it is rolled back')
  assert.match(rolledBack[0]!.why, /an encoder does not accept a value: .*fastish/)
  await until(() => live.node('one/enc').state === 'ready', 'the old settings run')
  await receiveMore(viewer)
  const { command, leftOut } = live.node('one/enc').details as { readonly command?: string; readonly leftOut?: unknown }
  assert.match(command ?? '', /-preset:v ultrafast/)
  assert.deepEqual(leftOut, [], 'the sound is not to blame')
  const { ended, ts } = viewer.report()
  assert.equal(ended, 'open')
  assertClean('viewer', ts, { announced: true })
})

test('all languages of the source are in all renditions, and the HLS behind them offers each', async () => {
  await using live = await TestEngine.create()
  const tracks = ['deu', 'eng'].flatMap((code, index) => ['-map', '1:a', `-metadata:s:a:${index}`, `language=${code}`])
  await promisify(execFile)('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=10', '-f', 'lavfi', '-i', 'sine'],
    ...['-map', '0:v', ...tracks, '-t', '8', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
    ...['-g', '10', '-c:a', 'aac', '-ac', '1', join(live.folder.path, 'main.ts')],
  ])
  const hls = 'hls: { type: hls, from: [enc.small, enc.native], listener: web, path: /one/index.m3u8, segment: 1s }'
  await live.start(
    yaml('60kb/s').replace('height: 90', 'height: 32').replace('    outputs:', `    outputs:\n      ${hls}`),
  )
  const index = `http://${live.address('web')}/one/index.m3u8`
  const list = await until(async () => {
    const { status, text } = await httpRequest(index)
    return status === 200 && text.match(/^#EXT-X-STREAM-INF.*AUDIO=/gm)?.length === 2 && text
  }, 'both renditions have a group of sound')
  const languages = [...list.matchAll(/#EXT-X-MEDIA:TYPE=AUDIO.*LANGUAGE="(\w+)"/g)].map(([, language]) => language)
  assert.deepEqual(languages, ['de', 'en'])
  const [, further = ''] = /LANGUAGE="en".*URI="([^"]+)"/.exec(list) ?? []
  await until(async () => {
    const { text } = await httpRequest(new URL(further, index).href)
    return (text.match(/^#EXTINF/gm)?.length ?? 0) >= 2
  }, 'the second language has segments')
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
