import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Running } from './change/reload-transaction.js'
import { sampleOf } from './status-view.js'

describe('a sample', () => {
  test('of one pipeline has its copies, as the events of that pipeline do', () => {
    const running = { services: [], pipelines: ['live', 'live@one', 'live2', 'live@two'].map(pipeline) }
    const ids = (of: string | undefined, isSummary: boolean): readonly string[] =>
      sampleOf(running as unknown as Running, of, isSummary).nodes.map(({ id }) => id)
    assert.deepEqual(ids('live', false), ['live/main', 'live@one/main', 'live@two/main'])
    assert.deepEqual(ids('live@one', false), ['live@one/main'])
    assert.deepEqual(ids('live2', false), ['live2/main'])
    assert.deepEqual(ids('live', true), ['live/main'])
    const { copies } = sampleOf(running as unknown as Running, 'live', true)
    assert.deepEqual(
      copies?.map((each) => [each.pattern, each.copies]),
      [['live', 2]],
    )
  })
})

function pipeline(name: string): object {
  const settings = { definition: { kind: 'input' } }
  const node = {
    id: `${name}/main`,
    state: 'ready',
    restarts: 0,
    receivedBytes: 1,
    sentBytes: 1,
    edges: [],
    settings,
    ...{ metricSum: () => undefined },
  }
  return { name, nodes: [node], services: { clientsOf: () => undefined } }
}
