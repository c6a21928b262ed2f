import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SessionEnd, SessionWatchers } from '../observe/viewer-events.js'
import { KeptLog } from '../listen/loopback.test.kit.js'
import { EventLog } from '../observe/events.js'
import type { EventNotice } from '../plugin/tokens.js'
import { FakeClock } from '../testing/fake-clock.js'
import { PluginEvents } from './plugin-events.js'

const END: SessionEnd = {
  id: 'k3f9-1',
  node: 'one/ts',
  path: '/a',
  client: '192.0.2.1:1',
  user: 'anna',
  userAgent: '',
  status: 200,
  bytes: 7,
  durationMs: 8,
  skips: 0,
  skippedBytes: 0,
  reason: 'left',
}

function setting(): { log: EventLog; sessions: SessionWatchers; events: PluginEvents; errors: unknown[] } {
  const clock = new FakeClock()
  const log = new EventLog(clock, new KeptLog().log)
  const sessions = new SessionWatchers()
  const errors: unknown[] = []
  const events = new PluginEvents({
    log,
    clock,
    watchSessions: (watcher) => sessions.add(watcher),
    kindOf: (node) => (node === 'one/main' ? 'input' : undefined),
    onError: (error) => errors.push(error),
  })
  return { log, sessions, events, errors }
}

test('events carry the kind of their node, recorded ones too', () => {
  const { log, events } = setting()
  log.emit({ kind: 'node.ready', node: 'one/main', data: { why: '' } })
  const seen: EventNotice[] = []
  const subscription = events.subscribe((event) => seen.push(event))
  log.emit({ kind: 'engine.running' })
  subscription[Symbol.dispose]()
  log.emit({ kind: 'engine.stopping' })
  assert.deepEqual(seen, [{ atMs: Date.UTC(2020, 0, 1), kind: 'engine.running', data: {} }])
  const [first] = events.recent()
  assert.deepEqual([first?.node, first?.nodeKind, first?.kind], ['one/main', 'input', 'node.ready'])
})

test('viewers connect and disconnect without being recorded, and a refused viewer causes no event', () => {
  const { sessions, events } = setting()
  const seen: EventNotice[] = []
  using _subscription = events.subscribeClients((event) => seen.push(event))
  sessions.onStart(END)
  sessions.onEnd({ ...END, id: '' })
  sessions.onEnd(END)
  assert.deepEqual(
    seen.map(({ kind, data }) => [kind, data['user'], data['bytes']]),
    [
      ['client_connect', 'anna', undefined],
      ['client_disconnect', 'anna', 7],
    ],
  )
  assert.deepEqual(events.recent(), [])
})

test('a listener that throws is dropped', () => {
  const { sessions, events, errors } = setting()
  using _subscription = events.subscribeClients(() => {
    throw new Error('broken')
  })
  sessions.onStart(END)
  sessions.onStart(END)
  assert.equal(errors.length, 1)
})
