import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineStatus, inputStatus, outputStatus } from '../api/status-fixture.test.kit.js'
import type { EngineStatus, NodeState } from '../observe/status.js'
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

const PLAIN = { ...STYLE, ...Object.fromEntries(Object.keys(STYLE).map((name) => [name, (text: string) => text])) }

function shown(change: Partial<EngineStatus>): string {
  return renderStatus({ ...engineStatus, ...change }, PLAIN)
}

test('an output has its former URLs, with their viewers, and a check the errors that it has counted', () => {
  const checks = { sync: 0, CC: 12, TEI: 0, CRC: 1 }
  const nodes = [outputStatus, { ...inputStatus, kind: 'transform' as const, details: { checks, streams: [] } }]
  const text = shown({ pipelines: [{ name: 'live', description: '', nodes, edges: [] }] })
  assert.match(text, /live\.ts; until 2026-01-02T03:04:05Z also http:\/\/127\.0\.0\.1:8000\/old\.ts, 3 viewers/)
  assert.match(text, /errors: CC 12, CRC 1$/m)
})

test('a reload is shown while it is in progress, while it is on probation, and when it has ended', () => {
  const at = '2026-01-02T03:04:05.678Z'
  const last = { by: 'api', at, result: 'applied', why: '', durationMs: 5, viewersBefore: 7, viewersLost: 1 } as const
  const reload = { inSync: true, runningId: 'e0bfdd7a', probation: { until: at }, last } as const
  const text = shown({ reload: { ...reload, inProgress: { by: 'file', since: at } } })
  assert.match(text, /^a reload is in progress since 2026-01-02T03:04:05Z, by file$/m)
  assert.match(text, /^ {2}configuration e0bfdd7a, on probation until 2026-01-02T03:04:05Z$/m)
  assert.match(text, /^ {2}last reload applied at 2026-01-02T03:04:05Z, by api; 7 viewers, 1 lost$/m)
})

test('a reload that failed names its reason once, and when it is tried again', () => {
  const at = '2026-01-02T03:04:05.678Z'
  const why = 'live/ts: no key frames'
  const last = { by: 'file', at, result: 'failed', why, durationMs: 5, viewersBefore: 0, viewersLost: 0 } as const
  const differs = shown({ reload: { inSync: false, runningId: 'a', reason: why, retryAt: at, last } })
  assert.match(differs, /^disk differs from running a: live\/ts: no key frames; it is tried again at \S+:05Z$/m)
  assert.match(differs, /^ {2}last reload failed at 2026-01-02T03:04:05Z, by file; nothing was changed$/m)
  // A rollback of the files leaves nothing that differs.
  assert.match(
    shown({ reload: { inSync: true, runningId: 'a', last } }),
    /by file; nothing was changed: live\/ts: no key frames$/m,
  )
})

test('a listener whose address could not be bound again is shown with the reason', () => {
  const why = 'listener "web" can\'t use 127.0.0.1:80: it is in use'
  const listener = { name: 'web', protocol: 'http', address: '127.0.0.1:80', origins: [], why }
  const text = renderStatus({ ...engineStatus, listeners: [listener] }, STYLE)
  assert.match(
    text,
    /web +http +127\.0\.0\.1:80 +<red not bound> +listener "web" can't use 127\.0\.0\.1:80: it is in use/,
  )
})
