import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import type { EndReason } from '@millrace/srt'
import type { SrtArrival, SrtConnection } from '@millrace/srt/node'
import { SrtPublisher } from './srt-publisher.js'

const ARRIVAL = {
  ...{ request: { streamId: 'publish:news' }, resource: 'news', listener: 'srt', agent: 'srt/1.5.1' },
  ...{ address: '127.0.0.1', client: '127.0.0.1:4000', credentials: {} },
} as unknown as SrtArrival

/** A publisher whose connection has ended for that reason; returns the end of its stream, and what was logged. */
async function endedBy(reason: EndReason): Promise<{ end: string; aborted: unknown; lines: readonly string[] }> {
  const clock = new FakeClock()
  const context = new FakeContext()
  const parts = { context, clock, idleMs: () => undefined, isLast: true, onConnection: () => undefined }
  const publisher = new SrtPublisher(ARRIVAL, 'news', parts)
  let end = ''
  publisher.accept({}).chunks.subscribe({
    error: (error: Error) => (end = error.message),
    complete: () => (end = 'complete'),
  })
  const decision = await publisher.decision
  assert.ok('onConnection' in decision)
  const connection = { closed: Promise.resolve(reason), end: () => undefined } as unknown as SrtConnection
  decision.onConnection?.(connection)
  connection.onClose?.(reason)
  return { end, aborted: publisher.signal.reason, lines: context.lines.map(({ level, text }) => `${level}: ${text}`) }
}

const FAULTS: readonly (readonly [EndReason, RegExp])[] = [
  ['idle', /not even a goodbye/],
  ['undecryptable', /its key does not fit/],
  ['clock', /its clock has jumped/],
]

for (const [reason, text] of FAULTS) {
  test(`a publisher whose connection ended by ${reason} is logged with its fault, which ends the stream`, async () => {
    const { end, aborted, lines } = await endedBy(reason)
    assert.match(end, text)
    assert.match(String(aborted), text)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^warn: the publisher has gone: /)
    assert.match(lines[0] ?? '', text)
  })
}

test('a publisher that says goodbye completes its stream, without a line of the log', async () => {
  assert.deepEqual(await endedBy('peer-closed'), { end: 'complete', aborted: 'the connection is closed', lines: [] })
})
