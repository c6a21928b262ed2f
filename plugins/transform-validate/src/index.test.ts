import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk, Inlet, Options } from '@millrace/engine/plugin'
import { breakSyncByte, buildTs, dropPackets, FakeClock, FakeContext } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import validate from './index.js'

const clean = buildTs({ durationS: 4 }).bytes

async function benchOf() {
  const clock = new FakeClock()
  const context = new FakeContext()
  const stage = await validate.open(new BehaviorSubject({}) as Options<Record<string, never>>, context, { clock })
  const chunks = new Subject<AnyChunk>()
  const inlet: Inlet = {
    id: 'one/main.out',
    chunks,
    pausable: false,
    hold: () => ({ [Symbol.dispose]: () => undefined }),
  }
  const got: AnyChunk[] = []
  let isComplete = false
  stage.apply([inlet])['out']?.subscribe({ next: (chunk) => got.push(chunk), complete: () => (isComplete = true) })
  const send = (bytes: Uint8Array): AnyChunk[] => {
    const framer = new Framer()
    const sent = [...framer.push(bytes, 0), ...framer.finish(0)]
    for (const chunk of sent) chunks.next(chunk)
    return sent
  }
  return { clock, context, stage, chunks, got, send, isComplete: () => isComplete }
}

describe('transform ts-validate', () => {
  test('passes the very same chunks, damaged ones too', async () => {
    const { send, got, chunks, isComplete } = await benchOf()
    const sent = [...send(clean), ...send(breakSyncByte(clean).bytes)]
    assert.deepEqual(
      got.map((chunk, index) => chunk === sent[index]),
      sent.map(() => true),
    )
    chunks.complete()
    assert.equal(isComplete(), true)
  })

  test('shows its counts as metrics', async () => {
    const { send, context } = await benchOf()
    const dropped = dropPackets(clean, { pid: 0x100 })
    send(dropped.bytes)
    assert.deepEqual(context.metric('ts_continuity_errors_total'), { '256': dropped.count })
    for (const { name, labels } of validate.metrics ?? []) {
      if (name === 'ts_continuity_errors_total') continue
      assert.deepEqual(context.metric(name), labels === undefined ? 0 : {}, name)
    }
  })

  test('logs damage once a second, while there is some', async () => {
    const { send, context, clock, stage } = await benchOf()
    send(clean)
    clock.advance(5000)
    assert.equal(context.lines.length, 0)
    for (let count = 0; count < 5; count++) send(dropPackets(clean).bytes)
    clock.advance(5000)
    assert.deepEqual(
      context.lines.map(({ level, text }) => [level, text]),
      [['warn', 'damaged stream, totals']],
    )
    await stage[Symbol.asyncDispose]()
    await stage[Symbol.asyncDispose]()
    assert.equal(clock.pending, 0)
  })
})
