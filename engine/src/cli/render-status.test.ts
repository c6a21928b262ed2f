import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineStatus, inputStatus } from '../api/status-fixture.test.kit.js'
import type { NodeState } from '../observe/status.js'
import { renderStatus } from './render-status.js'

const paint = (name: string) => (text: string) => `<${name} ${text}>`
const STYLE = {
  ...{ bold: paint('bold'), dim: paint('dim'), red: paint('red') },
  ...{ green: paint('green'), yellow: paint('yellow'), cyan: paint('cyan') },
}

const COLOURS: Readonly<Record<NodeState, string>> = {
  opening: 'yellow',
  ready: 'green',
  idle: 'cyan',
  degraded: 'yellow',
  waiting: 'yellow',
  ended: 'dim',
  failed: 'red',
  stopped: 'dim',
}

for (const [state, colour] of Object.entries(COLOURS)) {
  test(`a node that is ${state} is shown in ${colour}`, () => {
    const node = { ...inputStatus, state: state as NodeState }
    const text = renderStatus(
      { ...engineStatus, pipelines: [{ name: 'live', description: '', nodes: [node], edges: [] }] },
      STYLE,
    )
    assert.match(text, new RegExp(`<${colour} ${state} *>`))
  })
}
