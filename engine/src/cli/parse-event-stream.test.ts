import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EventStreamParser } from './parse-event-stream.js'

const TEXT =
  ': hello\nretry: 2000\n\nid: a-1\nevent: state\ndata: {"why":"ü"}\n\ndata: one\r\ndata: two\r\n\r\nevent: lost\n'

describe('the parser of an event stream', () => {
  for (const size of [1, 2, 7, 1000]) {
    test(`reads the same events from pieces of ${size} bytes`, () => {
      const parser = new EventStreamParser()
      const bytes = new TextEncoder().encode(TEXT)
      const events = []
      for (let at = 0; at < bytes.length; at += size) events.push(...parser.push(bytes.subarray(at, at + size)))
      assert.deepEqual(events, [
        { name: 'state', data: '{"why":"ü"}', id: 'a-1' },
        { name: 'message', data: 'one\ntwo', id: 'a-1' },
      ])
    })
  }

  test('refuses a line without an end', () => {
    const parser = new EventStreamParser()
    const bytes = new Uint8Array(1024 * 1024).fill(0x61)
    assert.throws(() => {
      for (let i = 0; i < 9; i++) parser.push(bytes)
    }, RangeError)
  })
})
