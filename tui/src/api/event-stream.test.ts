import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EventStreamParser, type ServerEvent } from '@millrace/engine/model'

const TEXT = [
  ...['retry: 2000\n\n', ': a comment\n', 'id: ab-1\nevent: state\ndata: {"a":1}\n\n'],
  ...['event: sample\r\ndata: x\r\ndata:y\r\n\r\n', 'data: z\r\r', 'event: nothing\n\n'],
].join('')
const EVENTS: readonly ServerEvent[] = [
  { name: 'state', data: '{"a":1}', id: 'ab-1' },
  { name: 'sample', data: 'x\ny', id: 'ab-1' },
  { name: 'message', data: 'z', id: 'ab-1' },
]

describe('server-sent events', () => {
  test('are the same however the stream is split', () => {
    for (let size = 1; size <= TEXT.length; size++) {
      const parser = new EventStreamParser()
      const events: ServerEvent[] = []
      for (let at = 0; at < TEXT.length; at += size) events.push(...parser.push(TEXT.slice(at, at + size)))
      assert.deepEqual(events, EVENTS, `in pieces of ${size}`)
      assert.equal(parser.lastId, 'ab-1')
    }
  })

  test('an event without end is refused', () => {
    const parser = new EventStreamParser()
    assert.throws(() => {
      for (let count = 0; count < 40; count++) parser.push(`data: ${'x'.repeat(1024 * 1024)}\n`)
    }, /has no end/)
  })
})
