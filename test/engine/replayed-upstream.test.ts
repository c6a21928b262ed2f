// An upstream that closes again and again, and sends what it has kept when it is asked again.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { assertClean, assertJoin } from '../e2e/kit/assert-clean.js'
import { until } from '../e2e/kit/until.js'
import { checkTs } from '../oracle/check-ts.js'
import { RawUpstreams } from './http-upstreams.js'
import type { Serve } from './http-upstreams.js'
import { TestEngine } from './test-engine.js'

const LIFE_S = 2
const REPLAYED_S = 1
const RECONNECTS = 3
const DURATION_S = LIFE_S + RECONNECTS * (LIFE_S - REPLAYED_S)
const { bytes, units } = buildTs({ durationS: DURATION_S, video: { bFrames: 2, boundedPes: true } })
const stream = Buffer.from(bytes)
/** Faster than it plays, so that the test is short. */
const SPEED = 4
const STEP_MS = 20

test('viewers of an upstream that replays its last second after each reconnect get every frame once, at its time', async () => {
  let hasViewers = false
  const joined = (): Promise<boolean> => until(() => hasViewers, 'the viewers have joined')
  await using upstreams = new RawUpstreams()
  await using live = await TestEngine.create()
  const pipelines: string[] = []
  for (const timeline of ['continuous', 'source']) {
    const { host } = await upstreams.open(replays(joined))
    // Several URLs, because the next one is asked at once.
    const urls = Array.from({ length: 6 }, (_, index) => `"http://${host}/${index}.ts"`).join(', ')
    pipelines.push(
      `  ${timeline}:`,
      `    inputs: { main: { type: http, urls: [${urls}], timeline: ${timeline} } }`,
      `    outputs: { ts: { type: http-ts, from: main, listener: web, path: /${timeline} } }`,
    )
  }
  await live.start(
    [
      'version: 1',
      'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }',
      'listeners: { web: { address: "127.0.0.1:0" } }',
      'pipelines:',
      ...pipelines,
    ].join('\n'),
  )
  for (const id of ['continuous/main', 'source/main'])
    await until(() => live.node(id).state === 'ready', `${id} is ready`)
  const viewer = await live.watch('/continuous', 188)
  const other = await live.watch('/source', 188)
  hasViewers = true
  await until(
    () => [viewer, other].every(({ body }) => body.subarray(-188).equals(stream.subarray(-188))),
    'the end of the stream',
  )
  const report = assertClean('the viewer', checkTs(viewer.body))
  assertJoin('the viewer', report)
  for (const [pid, { units: count, lastDts90k, firstPts90k }] of Object.entries(report.units)) {
    const sent = units.filter((unit) => unit.pid === Number(pid))
    assert.equal(count, sent.filter(({ pts90k }) => pts90k >= (firstPts90k ?? 0)).length, `units of ${pid}`)
    assert.equal(lastDts90k, Math.max(...sent.map(({ dts90k }) => dts90k)), `the last time of ${pid}`)
  }
  const asItCame = checkTs(other.body)
  assert.ok(Object.values(asItCame.units).some(({ dtsNotIncreasing }) => dtsNotIncreasing >= RECONNECTS))
})

/** Each connection begins a second before the end of the one before; the last one stays open. */
function replays(joined: () => Promise<boolean>): Serve {
  let lives = 0
  return (socket) => {
    const life = lives++
    const atSecond = (second: number): number => Math.floor((stream.length * second) / DURATION_S)
    const begin = life * (LIFE_S - REPLAYED_S)
    const serve = async (): Promise<void> => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const known = atSecond(begin + REPLAYED_S)
      socket.write(stream.subarray(atSecond(begin), known))
      if (life === 0) await joined()
      const end = atSecond(begin + LIFE_S)
      const step = Math.ceil(((stream.length / DURATION_S) * SPEED * STEP_MS) / 1000)
      for (let at = known; at < end; at += step) {
        socket.write(stream.subarray(at, Math.min(end, at + step)))
        await sleep(STEP_MS)
      }
      if (life < RECONNECTS) socket.end()
    }
    if (life <= RECONNECTS) void serve()
  }
}
