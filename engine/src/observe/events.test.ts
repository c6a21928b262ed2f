import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from './clock.js'
import { EventLog } from './events.js'
import { createLog } from './log.js'

function openEvents(capacity?: number): { events: EventLog; lines: string[] } {
  const lines: string[] = []
  const log = createLog({ level: 'info', stream: { write: (line: string) => void lines.push(line) } })
  return { events: new EventLog(createClock(), log, capacity), lines }
}

test('events carry wall time and go to every subscriber', () => {
  const { events } = openEvents()
  const seen: string[] = []
  const subscription = events.subscribe((event) => seen.push(`${event.node} ${event.kind}`))
  const event = events.emit({ kind: 'node.ready', node: 'live/main' })
  assert.ok(Math.abs(event.atMs - Date.now()) < 1000)
  subscription[Symbol.dispose]()
  events.emit({ kind: 'node.failed', node: 'live/main', data: { why: 'gone' } })
  assert.deepEqual(seen, ['live/main node.ready'])
  assert.deepEqual(
    events.recent().map((each) => each.data),
    [{}, { why: 'gone' }],
  )
})

test('only the newest events are kept, oldest first, and can be read after an id', () => {
  const { events } = openEvents(10)
  for (let n = 1; n <= 25; n++) events.emit({ kind: `event${n}` })
  assert.deepEqual(
    events.recent().map((event) => event.id),
    [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  )
  assert.deepEqual(
    events.recent(23).map((event) => event.kind),
    ['event24', 'event25'],
  )
  assert.deepEqual(events.recent(25), [])
})

test('a subscriber that throws is removed and logged, the others continue', () => {
  const { events, lines } = openEvents()
  let calls = 0
  let failures = 0
  events.subscribe(() => {
    failures++
    throw new Error('broken subscriber')
  })
  events.subscribe(() => calls++)
  events.emit({ kind: 'one' })
  events.emit({ kind: 'two' })
  assert.deepEqual([calls, failures], [2, 1])
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /broken subscriber/)
})
