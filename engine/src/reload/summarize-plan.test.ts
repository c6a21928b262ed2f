import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeChange, ReloadPlan } from '../observe/reload-plan.js'
import { summarizePlan } from './summarize-plan.js'

function change(verb: NodeChange['verb'], id: string): NodeChange {
  return { verb, id, changes: [] } as unknown as NodeChange
}

test('what a plan changes is told most disruptive first, parts too', () => {
  const nodes = [
    change('add', 'one/tss'),
    change('keep', 'one/main'),
    change('remove', 'one/ts'),
    change('live', 'one/x'),
  ]
  const plan = { nodes, parts: [change('rebind', 'listener web')] } as unknown as ReloadPlan
  assert.deepEqual(summarizePlan(plan), ['remove one/ts', 'rebind listener web', 'add one/tss', 'live one/x'])
})

test('of many changes, the least disruptive are counted', () => {
  const nodes = [...Array.from({ length: 25 }, (_, index) => change('add', `one/${index}`)), change('remove', 'one/ts')]
  const lines = summarizePlan({ nodes, parts: [] } as unknown as ReloadPlan)
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [21, 'remove one/ts', '6 more'])
})
