import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import { isEngineError } from '@millrace/engine/plugin'
import type { EndReason } from '@millrace/srt'
import type { SrtArrival, SrtConnection } from '@millrace/srt/node'
import { SrtPublisher } from './srt-publisher.js'

const ARRIVAL = {
  ...{ request: { streamId: 'publish:news' }, resource: 'news', listener: 'srt', agent: 'srt/1.5.1' },
  ...{ address: '127.0.0.1', client: '127.0.0.1:4000', credentials: {} },
} as unknown as SrtArrival

interface Ended {
  readonly end: string
  readonly code: string | undefined
  readonly aborted: unknown
  readonly lines: readonly string[]
}

/** A publisher whose connection has ended for that reason; returns the end of its stream, and what was logged. */
async function endedBy(reason: EndReason): Promise<Ended> {
  const clock = new FakeClock()
  const context = new FakeContext()
  const parts = { context, clock, idleMs: () => undefined, isLast: true, onConnection: () => undefined }
  const publisher = new SrtPublisher(ARRIVAL, 'news', parts)
  let end = ''
  let code: string | undefined
  publisher.accept({}).chunks.subscribe({
    error: (error: Error) => {
      end = error.message
      code = isEngineError(error) ? error.code : undefined
    },
    complete: () => (end = 'complete'),
  })
  const decision = await publisher.decision
  assert.ok('onConnection' in decision)
  const connection = { closed: Promise.resolve(reason), end: () => undefined } as unknown as SrtConnection
  decision.onConnection?.(connection)
  connection.onClose?.(reason)
  const lines = context.lines.map(({ level, text }) => `${level}: ${text}`)
  return { end, code, aborted: publisher.signal.reason, lines }
}

const FAULTS: readonly (readonly [EndReason, string, RegExp])[] = [
  ['idle', 'SRT_SILENT', /not even a goodbye/],
  ['undecryptable', 'SRT_BROKEN', /its key does not fit/],
  ['clock', 'SRT_BROKEN', /its clock has jumped/],
]

for (const [reason, expected, text] of FAULTS) {
  test(`a publisher whose connection ended by ${reason} is logged with its fault, which ends the stream`, async () => {
    const { end, code, aborted, lines } = await endedBy(reason)
    assert.equal(code, expected)
    assert.match(end, text)
    assert.match(String(aborted), text)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^warn: the publisher has gone: /)
    assert.match(lines[0] ?? '', text)
  })
}

test('a publisher that says goodbye completes its stream, without a line of the log', async () => {
  const expected = { end: 'complete', code: undefined, aborted: 'the connection is closed', lines: [] }
  assert.deepEqual(await endedBy('peer-closed'), expected)
})
