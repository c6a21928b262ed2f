import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../listen/loopback.test.kit.js'
import { flow, PatternHarness, recordingYaml } from './pattern.test.kit.js'

/** The output reads one of two inputs; the second one sends nothing. */
const reading = (name: string): string =>
  recordingYaml('linger: 30s')
    .replace('} }\n    outputs', '}, second: { type: test-in } }\n    outputs')
    .replace('from: in,', `from: ${name},`)

test('copies of which an output is moved to an input that sends nothing stay, and so they do when it is moved back', async () => {
  await using harness = await new PatternHarness().start(reading('in'))
  const keys = ['a', 'b', 'c']
  const publishers = await Promise.all(keys.map((key) => harness.published(key)))
  using _ = flow(...publishers)
  await until(() => keys.every((key) => harness.chunksOf(`live@${key}/out`).length > 0), 'all receive')
  const followed = (): number => harness.log.filter((line) => line.includes('"followed":3,"cut":0')).length
  await harness.reload(reading('second'))
  await until(() => followed() === 1, 'all have followed')
  await harness.reload(reading('in'))
  await until(() => followed() === 2, 'all have gone back')
  const before = keys.map((key) => harness.chunksOf(`live@${key}/out`).length)
  const receives = (key: string, index: number): boolean => harness.chunksOf(`live@${key}/out`).length > before[index]!
  await until(() => keys.every(receives), 'all receive again')
  assert.equal(
    publishers.some(({ isClosed }) => isClosed),
    false,
  )
})
