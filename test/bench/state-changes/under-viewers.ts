// The longest time without a byte for 300 viewers of one channel, while the nodes of others change their states 5000
// times a second, and readers follow the events.
import { get, type IncomingMessage } from 'node:http'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { startEngine } from '../../e2e/kit/start-engine.js'
import { LoadProcess } from '../load/load-process.js'
import { SERVER_CORE, type Tools } from '../measure/bench-machine.js'

const CHANGING = 500
const VIEWERS = 300
const EVENT_READERS = 3
const QUIET_MS = 18_000
/** The changes begin 30 s after the start. */
const BEGINS_WITHIN_MS = 12_000
const ROOT = new URL('../../../../', import.meta.url)

export interface ViewersFigure {
  /** Before the changes begin: what the stream itself has. */
  readonly quietGapMs: number
  readonly worstGapMs: number
  readonly counterErrors: number
  readonly lost: number
}

export async function measureUnderViewers(seconds: number, tools: Tools): Promise<ViewersFigure> {
  const card = fileURLToPath(new URL('pipelines/media/testcard.ts', ROOT))
  const plugin = fileURLToPath(new URL('test/fixtures/changing-states.mjs', ROOT))
  const services = Array.from({ length: CHANGING }, (_, index) => `  s${index}: { type: changing-states }`)
  const yaml = [
    'version: 1',
    `plugins: [${plugin}]`,
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, log: { level: error }, drain: 1s }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'services:',
    '  metrics: { type: prometheus, listener: api, path: /metrics }',
    ...services,
    'pipelines:',
    '  one:',
    `    inputs: { main: { type: file, path: ${card}, loop: true, pace: pcr } }`,
    '    transforms: { gops: { type: gop, from: main } }',
    '    outputs: { out: { type: http-ts, from: gops, listener: web, path: /one.ts } }',
    '',
  ].join('\n')
  await using engine = await startEngine({ yaml })
  tools.pin(SERVER_CORE, engine.child.pid)
  const readers = await Promise.all(Array.from({ length: EVENT_READERS }, () => follow(`${engine.api}/api/v1/events`)))
  await using load = new LoadProcess(await engine.url(), tools)
  load.tell(`open ${VIEWERS} 100`)
  await load.reading(VIEWERS, 60_000)
  load.tell('check 1')
  await pause(2000)
  await load.mark()
  // The clip lasts 16 s: its loop is part of both figures.
  await pause(QUIET_MS)
  const { worstGapMs: quietGapMs } = await load.mark()
  await pause(BEGINS_WITHIN_MS)
  await load.mark()
  await pause(seconds * 1000)
  const { worstGapMs, counterErrors, lost } = await load.mark()
  for (const reader of readers) reader.destroy()
  await engine.stop()
  return { quietGapMs, worstGapMs, counterErrors, lost }
}

function follow(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, (response) => resolve(response.resume())).on('error', reject)
  })
}
