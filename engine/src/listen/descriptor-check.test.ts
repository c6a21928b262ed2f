import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explainShortage, neededDescriptors, RESERVED_DESCRIPTORS } from './descriptor-check.js'

describe('descriptor check', () => {
  const rows = [
    { name: 'sums the limits of the outputs', perOutput: [100, 50], overall: 5000, viewers: 150 },
    { name: 'never needs more than the limit of the engine', perOutput: [4000, 4000], overall: 5000, viewers: 5000 },
    { name: 'uses the limit of the engine for outputs without one', perOutput: [0], overall: 300, viewers: 300 },
    { name: 'has no bound if nothing is limited', perOutput: [0], overall: 0, viewers: Infinity },
  ]
  for (const { name, viewers, ...needs } of rows) {
    it(name, () => assert.equal(neededDescriptors(needs), viewers + RESERVED_DESCRIPTORS))
  }

  it('says nothing if the limit is high enough or nothing serves viewers', () => {
    assert.equal(explainShortage(1024, { perOutput: [100], overall: 5000 }), undefined)
    assert.equal(explainShortage(1024, { perOutput: [], overall: 5000 }), undefined)
  })

  it('says how many viewers fit, how many are allowed, and what to raise', () => {
    const text = explainShortage(1024, { perOutput: [0], overall: 5000 }) ?? ''
    assert.match(
      text,
      /1024 file descriptors .* about 960 viewers, but 5000 viewers are allowed: raise it .*LimitNOFILE/,
    )
  })
})
