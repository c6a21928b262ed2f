// An engine with one viewer who must not notice what others do beside it.
import { buildTs } from '@millrace/engine/testing'
import assert from 'node:assert/strict'
import { HttpReader } from '../../oracle/http-reader.js'
import { assertClean, assertJoin } from './assert-clean.js'
import { engineYaml } from './engine-yaml.js'
import { startEngine } from './start-engine.js'
import type { EngineProcess } from './start-engine.js'
import { until } from './until.js'

const stream = buildTs({ durationS: 3, video: { bitrate: 1_000_000 } }).bytes

/** Runs the others beside the viewer, and looks that the engine has the same descriptors afterwards. */
export async function assertViewerUnaffected(
  others: (engine: EngineProcess, url: string) => Promise<void>,
): Promise<void> {
  const yaml = engineYaml({ one: { input: 'path: a.ts, loop: true', through: 'ts-validate' } })
  await using engine = await startEngine({ yaml, files: { 'a.ts': stream } })
  await engine.ready()
  const url = await engine.url()
  await using witness = new HttpReader(url)
  await witness.until(({ bodyBytes }) => bodyBytes > 100_000)
  let before = ''
  // The input file is closed for a moment at each loop, and the last request to the API may not be closed yet.
  await until(async () => {
    const last = before
    before = (await engine.descriptors()).join(' ')
    return before === last && before.includes('a.ts')
  }, 'descriptors do not settle')
  await others(engine, url)
  let after = ''
  await until(
    async () => (after = (await engine.descriptors()).join(' ')) === before,
    () => `descriptors are left: ${before} became ${after}`,
  )
  const { bodyBytes } = witness.report()
  await witness.until((report) => report.bodyBytes > bodyBytes + 100_000)
  assertJoin('witness', assertClean('witness', witness.report().ts))
  assert.equal((await engine.node('one/out')).clients, 1)
  await witness[Symbol.asyncDispose]()
  await engine.stop()
}
