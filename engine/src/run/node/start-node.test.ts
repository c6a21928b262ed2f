import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReloadHarness } from '../change/reload.test.kit.js'
import { RecordingOutput, testError } from '../run.test.kit.js'
import { node, output } from '../scripted-nodes.test.kit.js'

const broken = (code: 'TEST_BUG' | 'TEST_CONFIG') =>
  output(() => {
    throw testError(code, 'broken')
  })

test('a node that fails at the start because of a bug fails alone, and the others run', async () => {
  const good = new RecordingOutput()
  await using harness = await new ReloadHarness().start(
    node('one/bad', broken('TEST_BUG'), { from: 'one/main' }),
    node(
      'one/good',
      output(() => good),
      { from: 'one/main' },
    ),
  )
  harness.send(3)
  assert.deepEqual([harness.states['one/bad'], harness.states['one/good'], good.chunks.length], ['failed', 'ready', 3])
})

test('wrong options of a node keep the engine from starting', async () => {
  const bad = node('one/bad', broken('TEST_CONFIG'), { from: 'one/main' })
  await assert.rejects(new ReloadHarness().start(bad), { code: 'TEST_CONFIG' })
})
