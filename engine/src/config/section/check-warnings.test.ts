import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineOutput } from '../../plugin/define.js'
import { registryOf } from '../../plugin/registry.js'
import type { WarningContext } from '../../plugin/warning-context.js'
import { EXAMPLE_DEFINITIONS, loadFiles } from '../example-config.test.js'

test('an output knows the batches and the timeline of the inputs of its pipeline when it warns', async () => {
  const seen: WarningContext[] = []
  const curious = defineOutput({
    type: 'curious',
    summary: 'Takes note of what it may know.',
    consumes: ['ts'],
    inlets: 'one',
    options: z.strictObject({}),
    warnings(_, around) {
      seen.push(around)
      return []
    },
    examples: [],
    open: () => assert.fail('it is not opened'),
  })
  const pipelineOf = (name: string, inputs: string): string => `  ${name}:
    inputs: { ${inputs} }
    outputs: { out: { type: curious, from: main } }
`
  const one = 'main: { type: file, path: a.ts, batch: 40ms, timeline: source }'
  await loadFiles(
    {
      'a.yaml': `version: 1\npipelines:\n${pipelineOf('one', one)}${pipelineOf('two', `${one}, more: { type: file, path: b.ts, batch: 20ms }`)}`,
    },
    undefined,
    { plugins: () => Promise.resolve({ registry: registryOf([...EXAMPLE_DEFINITIONS, curious]), problems: [] }) },
  )
  assert.deepEqual(
    seen.map(({ batchMs, hasSourceTimes }) => [batchMs, hasSourceTimes]),
    [
      [40, true],
      [40, false],
    ],
  )
})
