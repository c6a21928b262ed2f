import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeContext } from '../../plugin/contract.js'
import type { Secrets } from '../../plugin/secrets.js'
import { defineService } from '../../plugin/define.js'
import { PIPELINE } from '../../plugin/tokens.js'
import { ReloadHarness } from './reload.test.kit.js'
import type { TransformDefinition } from '../../plugin/contract.js'
import { until } from '../../listen/loopback.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { common, keeping, mid, node, output } from '../scripted-nodes.test.kit.js'

interface Opened {
  readonly secrets: Secrets
  readonly context: NodeContext
  readonly first: string
}

/** Reads the secret `anna` when it opens. */
function reading(opened: Opened[]): ReturnType<typeof keeping> {
  return keeping((_store, secrets, _mode, context) => {
    opened.push({ secrets, context, first: secrets.read('anna') })
  })
}

test('a node reads the secrets of the configuration that its options come from; a node that is kept reads new values', async () => {
  const opened: Opened[] = []
  const definition = reading(opened)
  await using harness = new ReloadHarness()
  harness.secrets = { anna: 'hunter22' }
  await harness.start(mid(definition), node('one/kept', definition, { from: 'one/main' }))
  using _flowing = harness.flow()
  harness.secrets = { anna: 'correct horse' }
  await harness.reload(mid(definition, { swap: 'b' }), node('one/kept', definition, { from: 'one/main' }))
  assert.deepEqual(
    opened.map(({ first }) => first),
    ['hunter22', 'hunter22', 'correct horse'],
  )
  assert.deepEqual(
    opened.map(({ secrets }) => secrets.read('anna')),
    ['hunter22', 'correct horse', 'correct horse'],
  )
})

test('a reload that is given up leaves running nodes the secrets that they had', async () => {
  const opened: Opened[] = []
  await using harness = new ReloadHarness()
  harness.secrets = { anna: 'hunter22' }
  await harness.start(mid(reading(opened)))
  harness.secrets = { berta: 'correct horse' }
  await assert.rejects(harness.reload(mid(reading(opened), { swap: 'b' })), { code: 'SECRET_UNKNOWN' })
  assert.equal(opened.length, 1)
  assert.equal(opened[0]?.secrets.read('anna'), 'hunter22')
})

test('a node that is being replaced reads the secrets that it had, until it ends', async () => {
  const opened: Opened[] = []
  await using harness = new ReloadHarness()
  harness.secrets = { anna: 'hunter22' }
  const out = output(() => new RecordingOutput())
  const reader = node('one/out', out, { from: 'one/mid' })
  await harness.start(mid(reading(opened)), reader)
  harness.send(1)
  harness.secrets = { berta: 'correct horse' }
  const { graph } = harness.engine
  const applying = harness.reload(mid(keeping((_store, secrets) => void secrets.read('berta'))), reader)
  await harness.committed(graph)
  assert.equal(opened[0]?.secrets.read('anna'), 'hunter22')
  await applying
  assert.equal(harness.states['one/mid'], 'ready')
})

for (const rename of [{}, { was: 'one/mid' }]) {
  const how = 'was' in rename ? ', and renamed' : ''
  test(`a node that is changed with the secret it reads${how} has its old one again when it is rolled back`, async () => {
    const read: string[] = []
    let fail = (): void => undefined
    const definition = keeping((_store, secrets, { swap }, context) => {
      read.push(secrets.read(swap === '' ? 'anna' : 'berta'))
      fail = context.guard(() => {
        throw new Error('broken')
      })
    })
    const [id, out] = ['was' in rename ? 'one/new' : 'one/mid', output(() => new RecordingOutput())]
    await using harness = new ReloadHarness()
    harness.secrets = { anna: 'hunter22' }
    await harness.start(mid(definition), node('one/out', out, { from: 'one/mid' }))
    using _flowing = harness.flow()
    harness.secrets = { berta: 'correct horse' }
    const changed = node(id, definition, { from: 'one/main', swap: 'b', ...rename })
    await harness.reload(changed, node('one/out', out, { from: id }))
    fail()
    await until(() => harness.rolledBack.length > 0, 'it is rolled back')
    await harness.idle()
    assert.deepEqual(read, ['hunter22', 'correct horse', 'hunter22'])
    assert.equal(harness.states[id], 'ready')
    // The next edit is still measured against the configuration.
    await harness.reload(changed, node('one/out', out, { from: id }))
    assert.deepEqual(read.at(-1), 'correct horse')
  })
}

test('what a node hides is masked in its status, reason, events and log, also after a reload', async () => {
  const opened: Opened[] = []
  await using harness = new ReloadHarness()
  harness.secrets = { anna: 'hunter22' }
  const definition = reading(opened)
  await harness.start(mid(definition))
  using _flowing = harness.flow()
  const { secrets, context } = opened[0]!
  using _hidden = secrets.hide('session-key')
  await harness.reload(mid(definition), node('one/added', definition, { from: 'one/main' }))
  context.details(() => ({ key: 'session-key' }))
  context.degraded('the session-key is old')
  context.log.info({ key: 'session-key' }, 'renewed the session-key')
  context.event('renewed', { key: 'session-key', text: 'with hunter22' })
  assert.match(harness.log.join(''), /renewed the \*\*\*/)
  assert.doesNotMatch(harness.log.join(''), /session-key|hunter22/)
  const status = harness.engine.status().pipelines[0]?.nodes.find(({ id }) => id === 'one/mid')
  assert.deepEqual([status?.why, status?.details], ['the *** is old', { key: '***' }])
  const events = harness.engine.events.recent().filter((event) => event.node === 'one/mid')
  assert.doesNotMatch(JSON.stringify(events), /session-key|hunter22/)
  assert.deepEqual(events.at(-1)?.data, { key: '***', text: 'with ***' })
})

test('a node of a pipeline knows its name; a service has none', async () => {
  const names: string[] = []
  const plain = keeping(() => undefined) as TransformDefinition
  const named = {
    ...plain,
    inject: { ...plain.inject, pipeline: PIPELINE },
    open: (...args: Parameters<TransformDefinition['open']>) => {
      names.push((args[2] as unknown as { readonly pipeline: string }).pipeline)
      return plain.open(...args)
    },
  } as typeof plain
  await using harness = await new ReloadHarness().start(mid(named))
  assert.deepEqual(names, ['one'])
  assert.equal(harness.states['one/mid'], 'ready')
  const service = defineService({
    ...common,
    type: 'test-service',
    inject: { pipeline: PIPELINE },
    open: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  })
  await assert.rejects(harness.reload(node('services/test', service), mid(named)), { code: 'NODE_UNKNOWN_TOKEN' })
})
