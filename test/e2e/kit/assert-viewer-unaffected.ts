// Asserts that a connected viewer is not affected by what other clients do.
import { buildTs } from '@millrace/engine/testing'
import assert from 'node:assert/strict'
import { HttpReader } from '../../oracle/http-reader.js'
import { assertClean, assertJoin } from './assert-clean.js'
import { engineYaml } from './engine-yaml.js'
import { startEngine } from './start-engine.js'
import type { EngineProcess } from './start-engine.js'
import { until } from './until.js'

const stream = buildTs({ durationS: 3, video: { bitrate: 1_000_000 } }).bytes

/** Runs `clients` next to the viewer, and checks that the engine has the same descriptors afterwards. */
export async function assertViewerUnaffected(
  clients: (engine: EngineProcess, url: string) => Promise<void>,
  { hasMemoryProbe = false } = {},
): Promise<void> {
  const yaml = engineYaml({ one: { input: 'path: a.ts, loop: true', through: 'ts-validate' } })
  await using engine = await startEngine({ yaml, files: { 'a.ts': stream }, hasMemoryProbe })
  await engine.ready()
  const url = await engine.url()
  await using viewer = new HttpReader(url)
  await viewer.until(({ bodyBytes }) => bodyBytes > 100_000)
  let before = ''
  // The input file is closed briefly at each loop, the files of the configuration are read at each look at them, and
  // the last API connection may still be open.
  await until(async () => {
    const last = before
    before = (await engine.descriptors()).join(' ')
    return before === last && before.includes('a.ts') && !before.includes('.yaml')
  }, 'descriptors do not settle')
  await clients(engine, url)
  let after = ''
  await until(
    async () => (after = (await engine.descriptors()).join(' ')) === before,
    () => `descriptors are leaked: ${before} became ${after}`,
  )
  const { bodyBytes } = viewer.report()
  await viewer.until((report) => report.bodyBytes > bodyBytes + 100_000)
  assertJoin('viewer', assertClean('viewer', viewer.report().ts))
  assert.equal((await engine.node('one/out')).clients, 1)
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
}
