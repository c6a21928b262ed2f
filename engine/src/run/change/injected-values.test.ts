import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeContext } from '../../plugin/contract.js'
import type { Secrets } from '../../plugin/secrets.js'
import { defineService } from '../../plugin/define.js'
import { PIPELINE } from '../../plugin/tokens.js'
import { ReloadHarness } from './reload.test.kit.js'
import type { TransformDefinition } from '../../plugin/contract.js'
import { common, keeping, mid, node } from '../scripted-nodes.test.kit.js'

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

test('a node reads the current value of a secret: a standby that of its own configuration', async () => {
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
    ['correct horse', 'correct horse', 'correct horse'],
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
