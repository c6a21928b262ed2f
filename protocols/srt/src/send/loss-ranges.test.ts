import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../simulated-network.test.kit.js'
import { LossRanges } from './loss-ranges.js'

test('ranges of lost packets merge, and agree with a plain set of packets', () => {
  const random = seeded(3)
  for (let run = 0; run < 300; run++) {
    const losses = new LossRanges()
    const model = new Set<number>()
    for (let count = 0; count < 40; count++) {
      step(losses, model, random)
      assert.equal(losses.packets, model.size)
      assert.equal(losses.isEmpty, model.size === 0)
    }
    const rest: number[] = []
    for (let index = losses.shift(); index !== undefined; index = losses.shift()) rest.push(index)
    assert.deepEqual(
      rest,
      [...model].sort((a, b) => a - b),
    )
  }
})

function step(losses: LossRanges, model: Set<number>, random: () => number): void {
  const first = Math.floor(random() * 60)
  const kind = random()
  if (kind < 0.5) {
    const last = first + Math.floor(random() * 10)
    losses.add(first, last)
    for (let index = first; index <= last; index++) model.add(index)
  } else if (kind < 0.9) {
    const lowest = model.size === 0 ? undefined : Math.min(...model)
    assert.equal(losses.shift(), lowest)
    if (lowest !== undefined) model.delete(lowest)
  } else {
    losses.removeBefore(first)
    for (const index of model) if (index < first) model.delete(index)
  }
}
