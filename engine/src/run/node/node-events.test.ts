import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Events, EventNotice } from '../../plugin/tokens.js'
import { NodeEvents } from './node-events.js'

const NOTICE: EventNotice = { atMs: 0, kind: 'x', data: {} }

class Source implements Events {
  readonly listeners = new Set<(event: EventNotice) => void>()
  readonly subscribe = (listen: (event: EventNotice) => void): Disposable => {
    const own = (event: EventNotice): void => listen(event)
    this.listeners.add(own)
    return { [Symbol.dispose]: () => void this.listeners.delete(own) }
  }
  readonly subscribeClients = this.subscribe
  recent(): readonly EventNotice[] {
    return [NOTICE]
  }
}

test('a node can have a hundred subscriptions of any kind at once, and none after its end', () => {
  const source = new Source()
  let calls = 0
  let heard = 0
  const events = new NodeEvents(source, {
    call(run) {
      calls++
      return run()
    },
  })
  const first = events.subscribe(() => heard++)
  for (let i = 1; i < 100; i++) events.subscribeClients(() => heard++)
  assert.throws(() => events.subscribe(() => undefined), RangeError)
  assert.throws(() => events.subscribeClients(() => undefined), RangeError)
  for (const listen of source.listeners) listen(NOTICE)
  assert.deepEqual([calls, heard], [100, 100])
  for (let i = 0; i < 2; i++) first[Symbol.dispose]()
  events.subscribe(() => undefined)
  assert.throws(() => events.subscribe(() => undefined), RangeError)
  events[Symbol.dispose]()
  assert.deepEqual([source.listeners.size, events.recent()], [0, [NOTICE]])
})
