// A rule for inputs that streams are published to.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../../errors.js'
import type { InputDefinition, Options } from '../../plugin/contract.js'
import type { Publisher } from '../../plugin/publisher.js'
import { ContractFakes } from '../contract-fakes.js'
import { ReadOptions } from '../read-options.js'
import { assertNone } from './assert-none.js'
import type { Check, Trial } from './check.js'

const TIMES = 10
const READY_TURNS = 1000

export const takesPublishers: Check = {
  title: 'its publishers(): ready when subscribed to, and nothing is left when that ends, however often',
  applies: ({ definition, settings }) =>
    definition.kind === 'input' && definition.publishers !== undefined && settings.publishing !== undefined,
  run: async (trial) => {
    const { definition } = trial
    if (definition.kind !== 'input') return
    for (let count = 0; count < TIMES; count++) await subscribeOnce(trial, definition)
    assertNone(await trial.watch.left(), 'after publishers() was unsubscribed from, it has left')
  },
}

async function subscribeOnce({ settings, watch }: Trial, definition: InputDefinition): Promise<void> {
  await using fakes = new ContractFakes((run) => watch.run(run))
  const options$ = new ReadOptions(definition.options.parse(settings.publishing))
  const deps = { ...fakes.of(definition.inject ?? {}), ...settings.deps?.() }
  const { context } = fakes
  const errors: unknown[] = []
  const subscription = watch.run(() =>
    definition.publishers?.(options$ as Options<unknown>, context, deps as never).subscribe({
      next: (publisher: Publisher) => publisher.reject('closing', 'the test is over'),
      error: (error) => errors.push(error),
    }),
  )
  for (let turn = 0; turn < READY_TURNS && context.reported.length + errors.length === 0; turn++) await setImmediate()
  assert.equal(errors.length, 0, `publishers() has failed: ${messageOf(errors[0])}`)
  assert.ok(
    context.reported.includes('ready'),
    'publishers() has not called context.ready() after it was subscribed to',
  )
  context.abort('the test is over')
  for (let count = 0; count < 2; count++) subscription?.unsubscribe()
  assertNone(
    [...fakes.left, ...(options$.observed ? ['a subscription to its options'] : [])],
    'unsubscribed from, it has left',
  )
}
