import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderStatus } from './render-status.js'
import { engineStatus, statusSource } from './status-fixture.test.kit.js'

test('the status of hundreds of pipelines is that of all, and others get their turn while it is made', async () => {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  const [first] = engineStatus.pipelines
  assert.ok(first !== undefined)
  const names = Array.from({ length: 300 }, (_, index) => `live@${index}`)
  const all = names.map((name) => ({ ...first, name }))
  // What the nodes of many copies take: each several turns of its own.
  const status = (name: string): typeof first => {
    const endMs = performance.now() + 5
    while (name.endsWith('0') && performance.now() < endMs);
    return { ...first, name }
  }
  const source = { ...statusSource, pipelines: () => names.map((name) => ({ name, status: () => status(name) })) }
  turn()
  const text = await renderStatus(source, false)
  isOver = true
  assert.deepEqual(JSON.parse(text), { ...engineStatus, pipelines: all })
  assert.ok(turns >= 30, `${turns} turns`)
})
